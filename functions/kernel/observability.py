"""Logs, traces and metrics of every function, named alike.

`POWERTOOLS_SERVICE_NAME` and `POWERTOOLS_METRICS_NAMESPACE` come from the template. Metrics carry the dimension
`service` (the domain), and another one only where an alarm needs it: each multiplies what CloudWatch charges.
"""

from aws_lambda_powertools import Logger, Metrics, Tracer

logger = Logger()
tracer = Tracer()
metrics = Metrics()
