"""The only modules of this domain that talk to AWS.

Each class names in `IAM` the actions it uses; a test compares them, both ways, with the policy of every function whose
handler, or the composition that it calls, imports the class.
"""
