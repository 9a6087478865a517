# ruff: noqa: SLF001 - MiniStack's private names are what is replaced here; seams.py checks them at start
"""Lambda functions as real processes, in the place of MiniStack's own workers.

MiniStack's workers lose exception class names and run any declared version on the server's interpreter; these run
AWS's Runtime Interface Client on the version that the template names.
"""

import json
import os
import threading
import time
from pathlib import Path
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

from local.emulator import seams, trail_events
from local.emulator.execution_environment import ExecutionEnvironment, Reply
from local.emulator.memory import MemoryGuard
from local.emulator.runtime_api import Invocation
from local.emulator.surroundings import Surroundings
from local.emulator.unpacked import UnpackedArchives

RUNTIME = "python3.11"
IDLE_SECONDS = 60
IDLE_ENVIRONMENTS = 16
_REAP_SECONDS = 5


class LambdaPool:
    """Execution environments by function and by everything that was deployed with it.

    Attributes:
        python: The interpreter of the runtime's environment.
        endpoint: The cloud, as functions reach it.
        surroundings: What functions see that is not of this cloud.
    """

    def __init__(
        self, python: Path, endpoint: str, region: str, archives: UnpackedArchives, surroundings: Surroundings
    ) -> None:
        self._python = python
        self._endpoint = endpoint
        self._region = region
        self._archives = archives
        self._surroundings = surroundings
        self._guard = MemoryGuard()
        self._lock = threading.Lock()
        self._idle: dict[str, dict[str, list[ExecutionEnvironment]]] = {}
        self._busy: set[ExecutionEnvironment] = set()
        threading.Thread(target=self._reap, daemon=True, name="lambda-pool-reaper").start()

    def invoke(self, function: dict[str, Any], event: Any, request_id: str) -> Reply:
        """Run one event in a warm environment, or in a new one."""
        config = function["config"]
        name, generation = _identity(config)
        environment = self._take(name, generation) or self._start(function)
        with self._lock:
            self._busy.add(environment)
        reusable = False
        try:
            reply = environment.invoke(
                Invocation(
                    request_id=request_id,
                    event=json.dumps(event).encode(),
                    function_arn=config["FunctionArn"],
                    timeout=float(config["Timeout"]),
                    # Not sampled: nothing listens for segments here.
                    trace_id=f"Root=1-{int(time.time()):08x}-{request_id.replace('-', '')[:24]};Sampled=0",
                )
            )
            reusable = reply.reusable
        finally:
            self._give_back(name, generation, environment, reusable=reusable)
        return reply

    def close(self) -> None:
        """End every environment, those with an event too."""
        with self._lock:
            doomed = [e for g in self._idle.values() for environments in g.values() for e in environments]
            running = list(self._busy)
            self._idle.clear()
            self._busy.clear()
        for environment in doomed:
            environment.close()
        for environment in running:
            environment.kill()  # whoever waits for its answer closes it

    def _take(self, name: str, generation: str) -> ExecutionEnvironment | None:
        """Return a warm environment of this generation; end earlier ones, so that redeployed code is served at once."""
        with self._lock:
            generations = self._idle.get(name, {})
            outdated = [e for g, environments in generations.items() if g != generation for e in environments]
            warm = generations.get(generation, [])
            self._idle[name] = {generation: warm}
            found = None
            while warm and found is None:
                candidate = warm.pop()
                if candidate.alive:
                    found = candidate
                else:
                    outdated.append(candidate)
        for environment in outdated:
            environment.close()
        return found

    def _give_back(self, name: str, generation: str, environment: ExecutionEnvironment, *, reusable: bool) -> None:
        with self._lock:
            wanted = environment in self._busy  # a reset empties the pool while events run
            self._busy.discard(environment)
            if wanted and reusable:
                environment.idle_since = time.monotonic()
                self._idle.setdefault(name, {}).setdefault(generation, []).append(environment)
                return
        environment.close()

    def _start(self, function: dict[str, Any]) -> ExecutionEnvironment:
        config = function["config"]
        if config.get("Runtime") != RUNTIME:
            raise ValueError(f"the embedded cloud runs {RUNTIME} only, not {config.get('Runtime')}")
        code = self._archives.path(config["FunctionArn"], function["code_zip"])
        layers = [
            self._archives.path(layer["Arn"], archive)
            for layer in config.get("Layers") or []
            if (archive := lambda_svc._resolve_layer_zip(layer)) is not None
        ]
        return ExecutionEnvironment(
            [str(self._python), "-m", "awslambdaric", config["Handler"]],
            self._variables(config, code, layers),
            code,
            int(config["MemorySize"]),
            self._guard,
        )

    def _variables(self, config: dict[str, Any], code: Path, layers: list[Path]) -> dict[str, str]:
        """Return what the function sees of its surroundings: what AWS documents, and nothing of the server's own."""
        name = config["FunctionName"]
        logging = config.get("LoggingConfig") or {}
        version = config.get("Version", "$LATEST")
        credentials = {k: v for k, v in lambda_runtime.execution_credentials(config).items() if v}
        return {
            "PATH": f"{self._python.parent}:/usr/local/bin:/usr/bin:/bin",
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            # The order of AWS: code, then layers, then what the runtime brings.
            "PYTHONPATH": os.pathsep.join(
                [str(code), *(str(layer / "python") for layer in layers), *map(str, self._surroundings.modules)]
            ),
            "_HANDLER": config["Handler"],
            "LAMBDA_TASK_ROOT": str(code),
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{RUNTIME}",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_FUNCTION_NAME": name,
            "AWS_LAMBDA_FUNCTION_VERSION": version,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(config["MemorySize"]),
            "AWS_LAMBDA_LOG_GROUP_NAME": logging.get("LogGroup") or f"/aws/lambda/{name}",
            **({"AWS_LAMBDA_LOG_FORMAT": logging["LogFormat"]} if "LogFormat" in logging else {}),
            **({"AWS_LAMBDA_LOG_LEVEL": logging["ApplicationLogLevel"]} if "ApplicationLogLevel" in logging else {}),
            "AWS_LAMBDA_LOG_STREAM_NAME": time.strftime(f"%Y/%m/%d/[{version}]") + os.urandom(16).hex(),
            "AWS_REGION": self._region,
            "AWS_DEFAULT_REGION": self._region,
            "AWS_ENDPOINT_URL": self._endpoint,
            # By which `trail_events` knows whose calls these are.
            "AWS_SDK_UA_APP_ID": trail_events.application_of(name),
            **self._surroundings.variables,
            "AWS_EC2_METADATA_DISABLED": "true",
            **credentials,
            **lambda_svc._runtime_env_vars(config),
        }

    def _reap(self) -> None:
        while True:
            time.sleep(_REAP_SECONDS)
            oldest = time.monotonic() - IDLE_SECONDS
            with self._lock:
                lists = [environments for g in self._idle.values() for environments in g.values()]
                by_age = sorted((e for environments in lists for e in environments), key=lambda e: e.idle_since)
                surplus = max(0, len(by_age) - IDLE_ENVIRONMENTS)
                doomed = {e for n, e in enumerate(by_age) if n < surplus or e.idle_since < oldest}
                for environments in lists:
                    environments[:] = [e for e in environments if e not in doomed]
            for environment in doomed:
                environment.close()


def install(pool: LambdaPool) -> None:
    """Let MiniStack run functions in the pool, and empty the pool on a reset."""
    seams.private(lambda_runtime, "execution_credentials", "config")
    seams.private(lambda_svc, "_resolve_layer_zip", "attachment")
    seams.private(lambda_svc, "_runtime_env_vars", "config")
    last = threading.local()  # MiniStack writes an invocation's REPORT line in the thread that ran it

    def execute(function: dict[str, Any], event: Any, request_id: str) -> dict[str, Any]:
        last.peak_mb = 0
        try:
            reply = pool.invoke(function, event, request_id)
        except ValueError as unsupported:
            error = {"errorType": "Runtime.NotEmulated", "errorMessage": str(unsupported)}
            return {"body": error, "error": True, "log": str(unsupported)}
        last.peak_mb = reply.peak_mb
        result = {"body": reply.payload, "log": reply.log}
        if reply.is_error:
            return {**result, "error": True}
        return {**result, "raw_payload": reply.is_text}

    def reset(original: Any) -> Any:
        def reset_all() -> None:
            pool.close()
            original()

        return reset_all

    seams.replace(lambda_svc, "_execute_function_warm", "func event request_id", lambda _: execute)
    seams.replace(lambda_svc, "_probe_peak_memory_mb", "func", lambda _: lambda _func: getattr(last, "peak_mb", 0))
    seams.replace(lambda_svc, "reset", "", reset)


def _identity(config: dict[str, Any]) -> tuple[str, str]:
    """Return a function's name across accounts and regions, and all that makes an environment of it outdated."""
    account, region = lambda_runtime._account_region_from_function_config(config)
    deployed = ("CodeSha256", "Handler", "Runtime", "MemorySize", "Timeout", "Layers", "Environment", "Role")
    generation = json.dumps([config.get(key) for key in deployed], sort_keys=True, default=str)
    return f"{account}/{region}/{config['FunctionName']}/{config.get('Version', '$LATEST')}", generation
