"""The llama-server of the Python package xllamacpp, started with llama-server's own options.

Called by the file "llama-server" that scripts/lib/models/llama-wheel.mjs writes beside the package. An option that is not in the
table below is an error. There is no router mode: the package has none.
"""

import argparse
import os
import signal
import sys
import threading

# Options with a number: the field of the package's parameters that each sets.
NUMBERS = {
    "--port": "port",
    "--parallel": "n_parallel",
    "--ctx-size": "n_ctx",
    "--batch-size": "n_batch",
    "--ubatch-size": "n_ubatch",
    "--sleep-idle-seconds": "sleep_idle_seconds",
}
SHORT = {"-np": "--parallel", "-b": "--batch-size", "-ub": "--ubatch-size"}
TEXTS = ["--model", "--alias", "--host", "--api-key", "--pooling", "--chat-template-file", "--reasoning-format"]
SWITCHES = ["--version", "--metrics", "--no-slots", "--jinja", "--no-jinja", "--kv-unified", "--embeddings", "--reranking"]


def parse(arguments):
    parser = argparse.ArgumentParser(prog="llama-server (xllamacpp)", allow_abbrev=False)
    for option in [*NUMBERS, "--threads"]:
        parser.add_argument(*[short for short, long in SHORT.items() if long == option], option, type=int)
    for option in TEXTS:
        parser.add_argument(option)
    for option in SWITCHES:
        parser.add_argument(option, action="store_true")
    return parser.parse_args(arguments)


def settings(options):
    import xllamacpp

    p = xllamacpp.CommonParams()
    p.model.path = options.model
    p.hostnames = [options.host or "127.0.0.1"]
    p.endpoint_slots = not options.no_slots
    p.endpoint_metrics = options.metrics
    p.use_jinja = not options.no_jinja
    # Without a number, llama-server takes four slots that share one cache.
    p.n_parallel = 4
    p.kv_unified = options.kv_unified or options.parallel is None
    for option, field in NUMBERS.items():
        value = getattr(options, option[2:].replace("-", "_"))
        if value is not None:
            setattr(p, field, value)
    if options.threads is not None:
        p.cpuparams.n_threads = options.threads
        p.cpuparams_batch.n_threads = options.threads
    if options.alias:
        p.model_alias = {options.alias}
    if options.api_key:
        p.api_keys = [options.api_key]
    p.embedding = options.embeddings or options.reranking
    pooling = "rank" if options.reranking else options.pooling
    if pooling:
        p.pooling_type = getattr(xllamacpp.llama_pooling_type, "LLAMA_POOLING_TYPE_" + pooling.upper())
    if options.chat_template_file:
        with open(options.chat_template_file, encoding="utf-8") as file:
            p.chat_template = file.read()
    if options.reasoning_format:
        name = options.reasoning_format.upper().replace("-", "_")
        p.reasoning_format = getattr(xllamacpp.common_reasoning_format, "COMMON_REASONING_FORMAT_" + name)
    return xllamacpp, p


def main():
    options = parse(sys.argv[1:])
    if options.version:
        import xllamacpp

        print("xllamacpp", xllamacpp.__version__)
        return
    if not options.model:
        sys.exit("This llama-server needs --model FILE: the package xllamacpp has no router.")
    xllamacpp, parameters = settings(options)
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    server = xllamacpp.Server(parameters)
    print("listening on", server.listening_address, flush=True)
    stop.wait()
    # A normal exit would wait for the server's threads and their requests.
    os._exit(0)


main()
