import { createHash } from 'node:crypto';

import { invalidInput } from '../../errors/failure';
import type { Connection } from '../../http/connection';
import type { FileSource } from '../../http/multipart';
import { isOllamaNamed } from '../model-names';
import { ollamaEntries } from '../models';
import { followWork, type Progress } from './work-progress';
import { CALL_MS, requireOllamaApi, workOnModel, type ModelWork } from './model-work';
import { optionalJson } from '../optional-json';
import { optional } from '../../values';

export interface CreateOptions extends ModelWork {
	/** A model of the server, or a GGUF file. */
	source: { from: string } | { file: FileSource };
	system?: string;
	template?: string;
	/** As in a Modelfile: `num_ctx`, `temperature`, `stop`, … */
	parameters?: Record<string, unknown>;
	/** `q4_K_M`, `q8_0`, … */
	quantize?: string;
	/** Milliseconds without progress after which it fails; 0: no limit. */
	idleMs: number;
	onProgress?(progress: Progress): Promise<void> | void;
	/** Called if the source is not on the server, so that Ollama downloads it. */
	onDownload?(from: string): void;
}

const GGUF = 'GGUF';

/**
 * Creates a model from another one or from a GGUF file (Ollama). The file is read once for its digest, and once more to
 * upload it if Ollama does not have it.
 *
 * @throws {ServerError}
 */
export async function createModel(connection: Connection, given: CreateOptions) {
	return await workOnModel(connection, given, async (kind, options) => {
		const { source, model, signal, system, template, parameters, quantize, idleMs, onProgress } =
			options;
		await requireOllamaApi(connection, kind, 'make models', signal);
		const json: Record<string, unknown> = {
			model,
			...optional({ system, template, parameters, quantize }),
		};
		/** For a file: whether it had to be uploaded. */
		const done: { uploaded?: boolean; digest?: string } = {};
		if ('file' in source) {
			done.digest = await digestOf(source.file);
			done.uploaded = await uploadBlob(connection, done.digest, source.file, options);
			json.files = { [source.file.name]: done.digest };
		} else {
			json.from = source.from;
			if (!(await isThere(connection, source.from, signal))) options.onDownload?.(source.from);
		}
		await followWork(connection, { path: '/api/create', json, model, signal, idleMs, onProgress });
		return { state: 'success', ...done };
	});
}

/** @throws {ServerError} of kind `invalidInput` for a file that is not GGUF, before anything is sent */
async function digestOf({ name, open }: FileSource): Promise<string> {
	const hash = createHash('sha256');
	let head = '';
	for await (const piece of open()) {
		if (head.length < GGUF.length) {
			head += Buffer.from(piece.subarray(0, GGUF.length)).toString('latin1');
			if (head.length >= GGUF.length && !head.startsWith(GGUF)) break;
		}
		hash.update(piece);
	}
	if (!head.startsWith(GGUF))
		throw invalidInput(
			`The file "${name}" is not a GGUF file`,
			'Ollama makes models of GGUF files. Convert others with convert_hf_to_gguf.py of llama.cpp.',
		);
	return `sha256:${hash.digest('hex')}`;
}

/** @returns whether it had to be uploaded */
async function uploadBlob(
	connection: Connection,
	digest: string,
	{ size, open }: FileSource,
	{ signal, idleMs, model }: CreateOptions,
): Promise<boolean> {
	const url = `${connection.url.root}/api/blobs/${digest}`;
	const found = await connection.call(url, { method: 'HEAD', timeoutMs: CALL_MS, signal });
	if (found.status === 200) return false;
	if (found.status !== 404) throw connection.refusal(found, { model });
	await connection.accepted(url, {
		method: 'POST',
		body: { content: open(), contentType: 'application/octet-stream', length: size },
		timeoutMs: 0,
		idleMs,
		signal,
		about: { model },
	});
	return true;
}

async function isThere(
	connection: Connection,
	name: string,
	signal: AbortSignal | undefined,
): Promise<boolean> {
	const tags = ollamaEntries(
		await optionalJson(connection, '/api/tags', { timeoutMs: CALL_MS, signal }),
	);
	// Without a list, it is assumed to be there.
	return tags === undefined || [...tags.keys()].some((id) => isOllamaNamed(id, name));
}
