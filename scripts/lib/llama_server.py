"""The llama-server of the Python package xllamacpp, started with llama-server's own options.

Called by the file "llama-server" that scripts/lib/llama-wheel.mjs writes beside the package. An option that is not in the
table below is an error. There is no router mode: the package has none.
"""

import argparse
import os
import signal
import sys
import threading


def parse(arguments):
    parser = argparse.ArgumentParser(prog="llama-server (xllamacpp)", allow_abbrev=False)
    add = parser.add_argument
    add("--version", action="store_true")
    add("-m", "--model")
    add("-a", "--alias")
    add("--host", default="127.0.0.1")
    add("--port", type=int, default=8080)
    add("-c", "--ctx-size", type=int)
    add("-np", "--parallel", type=int)
    add("-t", "--threads", type=int)
    add("-b", "--batch-size", type=int)
    add("-ub", "--ubatch-size", type=int)
    add("--api-key")
    add("--metrics", action="store_true")
    add("--no-slots", action="store_true")
    add("--jinja", action="store_true", default=True)
    add("--no-jinja", dest="jinja", action="store_false")
    add("-kvu", "--kv-unified", action="store_true")
    add("--embeddings", action="store_true")
    add("--reranking", action="store_true")
    add("--pooling", choices=["none", "mean", "cls", "last", "rank"])
    add("--mmproj")
    add("--chat-template-file")
    add("--reasoning-format", choices=["none", "deepseek", "deepseek-legacy", "auto"])
    add("--cache-reuse", type=int)
    add("--slot-save-path")
    add("--sleep-idle-seconds", type=int)
    return parser.parse_args(arguments)


def settings(options):
    import xllamacpp

    p = xllamacpp.CommonParams()
    p.model.path = options.model
    p.hostnames = [options.host]
    p.port = options.port
    p.endpoint_slots = not options.no_slots
    p.endpoint_metrics = options.metrics
    p.use_jinja = options.jinja
    # Without a number, llama-server takes four slots that share one cache.
    p.n_parallel = 4 if options.parallel is None else options.parallel
    p.kv_unified = options.kv_unified or options.parallel is None
    if options.alias:
        p.model_alias = {options.alias}
    if options.ctx_size is not None:
        p.n_ctx = options.ctx_size
    if options.threads is not None:
        p.cpuparams.n_threads = options.threads
        p.cpuparams_batch.n_threads = options.threads
    if options.batch_size is not None:
        p.n_batch = options.batch_size
    if options.ubatch_size is not None:
        p.n_ubatch = options.ubatch_size
    if options.api_key:
        p.api_keys = [options.api_key]
    if options.embeddings or options.reranking:
        p.embedding = True
    pooling = "rank" if options.reranking else options.pooling
    if pooling:
        p.pooling_type = getattr(xllamacpp.llama_pooling_type, "LLAMA_POOLING_TYPE_" + pooling.upper())
    if options.mmproj:
        p.mmproj.path = options.mmproj
    if options.chat_template_file:
        with open(options.chat_template_file, encoding="utf-8") as file:
            p.chat_template = file.read()
    if options.reasoning_format:
        name = options.reasoning_format.upper().replace("-", "_")
        p.reasoning_format = getattr(xllamacpp.common_reasoning_format, "COMMON_REASONING_FORMAT_" + name)
    if options.cache_reuse is not None:
        p.n_cache_reuse = options.cache_reuse
    if options.slot_save_path:
        # llama.cpp joins path and name without a separator of its own.
        p.slot_save_path = os.path.join(options.slot_save_path, "")
    if options.sleep_idle_seconds is not None:
        p.sleep_idle_seconds = options.sleep_idle_seconds
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
