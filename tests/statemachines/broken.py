"""A definition that every rule accepts, and ways to break it: each rule is shown to be able to fail."""

from copy import deepcopy
from typing import Any

import yaml

from tests.support.definitions import Json

_SOUND = """
Comment: Adds up sizes.
QueryLanguage: JSONata
TimeoutSeconds: 3600
StartAt: ListSizes
States:
  ListSizes:
    Type: Task
    Resource: arn:aws:states:::lambda:invoke
    Arguments: {FunctionName: "${ListSizesFunctionArn}", Payload: {name: "{% $states.context.Execution.Name %}"}}
    TimeoutSeconds: 60
    Assign: {sizes: "{% $states.result.Payload %}"}
    Output: "{% $states.result.Payload %}"
    Retry:
      - {ErrorEquals: [ValidationError, SettingsInvalid], MaxAttempts: 0}
      - ErrorEquals:
          - Lambda.ClientExecutionTimeoutException
          - Lambda.ServiceException
          - Lambda.AWSLambdaException
          - Lambda.SdkClientException
          - Lambda.TooManyRequestsException
        IntervalSeconds: 1
        MaxAttempts: 3
        BackoffRate: 2
        MaxDelaySeconds: 30
        JitterStrategy: FULL
    Catch:
      - ErrorEquals: [States.ALL]
        Assign: {failed: {error: "{% $states.errorOutput.Error %}", cause: "{% $states.errorOutput.Cause %}"}}
        Next: Failed
    Next: HasSizes
  HasSizes:
    Type: Choice
    Choices:
      - {Condition: "{% $count($sizes) > 0 %}", Next: EachSize}
    Default: Done
  EachSize:
    Type: Map
    Label: Sizes
    MaxConcurrency: 4
    ToleratedFailurePercentage: 5
    ItemReader:
      Resource: arn:aws:states:::s3:getObject
      ReaderConfig: {InputType: JSONL}
      Arguments: {Bucket: b, Key: "{% $sizes.key %}"}
    ItemProcessor:
      ProcessorConfig: {Mode: DISTRIBUTED, ExecutionType: STANDARD}
      StartAt: Keep
      States:
        Keep: {Type: Pass, Assign: {size: "{% $states.input.size %}"}, Next: Show}
        Show: {Type: Pass, Output: "{% $size %}", End: true}
    ResultWriter:
      Resource: arn:aws:states:::s3:putObject
      Arguments: {Bucket: b, Prefix: p}
    Retry:
      - {ErrorEquals: [States.ItemReaderFailed], MaxAttempts: 1, MaxDelaySeconds: 9, JitterStrategy: FULL}
    Catch:
      - ErrorEquals: [States.ALL]
        Assign: {failed: {error: "{% $states.errorOutput.Error %}", cause: "{% $states.errorOutput.Cause %}"}}
        Next: Failed
    Next: Done
  Done: {Type: Succeed}
  Failed: {Type: Fail, Error: "{% $failed.error %}", Cause: "{% $failed.cause %}"}
"""


def sound() -> Json:
    """Return the definition that breaks no rule."""
    return dict(yaml.safe_load(_SOUND))


def broken(path: str, value: Any = None) -> Json:
    """Return the sound definition with the value at `States/ListSizes/TimeoutSeconds` replaced; None removes it."""
    definition = deepcopy(sound())
    *parents, last = path.split("/")
    place: Any = definition
    for key in parents:
        place = place[int(key)] if isinstance(place, list) else place[key]
    if value is None:
        del place[last]
    else:
        place[int(last) if isinstance(place, list) else last] = value
    return definition
