import type { ServerName } from './exchange';

/** A folder of `test/fixtures` with recordings of a model server. */
export interface RecordedFolder {
	/**
	 * `raw`: responses, whose requests are in unrecorded-requests.ts; `cases`: responses, whose requests were recorded;
	 * `topics`: exchanges in JSON.
	 */
	form: 'cases' | 'raw' | 'topics';
	folder: string;
	server: ServerName;
}

export const RECORDED_FOLDERS: RecordedFolder[] = [
	{ form: 'cases', folder: 'llama-server-v0.5.0', server: 'llama-server' },
	{ form: 'cases', folder: 'ollama-v0.17.4', server: 'ollama' },
	{ form: 'raw', folder: 'completions/llama-server-v0.5.0', server: 'llama-server' },
	{ form: 'raw', folder: 'completions/ollama-v0.17.4', server: 'ollama' },
	{ form: 'raw', folder: 'fastapi', server: 'fastapi' },
	{ form: 'raw', folder: 'fastapi-0.165.0', server: 'fastapi' },
	{ form: 'raw', folder: 'gpustack', server: 'gpustack' },
	{ form: 'raw', folder: 'litellm-1.106.2', server: 'litellm' },
	{ form: 'raw', folder: 'litellm-1.108.7', server: 'litellm' },
	{ form: 'raw', folder: 'llama-swap-0bdb372', server: 'llama-swap' },
	{ form: 'raw', folder: 'ollama', server: 'ollama' },
	{ form: 'raw', folder: 'ollama-0.33.0-rc2', server: 'ollama' },
	{ form: 'raw', folder: 'vllm', server: 'vllm' },
	{ form: 'raw', folder: 'vllm-0.32.0-cpu', server: 'vllm' },
	{ form: 'topics', folder: 'models/fastapi-0.165.0', server: 'fastapi' },
	{ form: 'topics', folder: 'models/llama-server-v0.5.0', server: 'llama-server' },
	{ form: 'topics', folder: 'models/llama-server-xllamacpp-2026.10.11549', server: 'llama-server' },
	{ form: 'topics', folder: 'models/llama-swap-0bdb372', server: 'llama-swap' },
	{ form: 'topics', folder: 'models/ollama-0.33.0-rc2', server: 'ollama' },
	{ form: 'topics', folder: 'models/ollama-v0.17.4', server: 'ollama' },
	{ form: 'topics', folder: 'models/vllm-0.32.0-cpu', server: 'vllm' },
	{ form: 'topics', folder: 'models/whisper.cpp-233fe1f', server: 'whisper.cpp' },
];
