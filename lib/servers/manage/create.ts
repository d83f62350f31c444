import { createHash } from 'node:crypto';

import { invalidInput } from '../../errors/failure';
import type { Connection } from '../../http/connection';
import type { FileSource } from '../../http/multipart';
import { isNamed } from '../model-names';
import { ollamaEntries } from '../models';
import type { ServerKind } from '../kinds/kind';
import { followWork, type Progress } from './work-progress';
import { requireOllamaApi } from './copy-delete';
import { optionalJson } from '../optional-json';
import { optional } from '../../values';

export interface CreateOptions {
	model: string;
	/** A model of the server, or a GGUF file. */
	source: { from: string } | { file: FileSource };
	system?: string;
	template?: string;
	/** As in a Modelfile: `num_ctx`, `temperature`, `stop`, … */
	parameters?: Record<string, unknown>;
	/** `q4_K_M`, `q8_0`, … */
	quantize?: string;
	/** Longest time in which nothing changes. 0: none. */
	idleMs: number;
	signal?: AbortSignal;
	onProgress?(progress: Progress): Promise<void> | void;
	/** Told where the source is not on the server, so that Ollama downloads it. */
	onDownload?(from: string): void;
}

export interface Created {
	model: string;
	server: ServerKind;
	state: 'success';
	/** Of a file: whether it had to be sent. */
	uploaded?: boolean;
	digest?: string;
	tookMs: number;
}

const CALL_MS = 15_000;
const GGUF = 'GGUF';

/**
 * Makes a model of another one or of a GGUF file (Ollama). The file is read twice: once for its digest, and once to be
 * sent, where Ollama has not got it.
 *
 * @throws {ServerError}
 */
export async function createModel(connection: Connection, options: CreateOptions): Promise<Created> {
	const startedAt = performance.now();
	const { source, signal, system, template, parameters, quantize, idleMs, onProgress } = options;
	const model = options.model.trim();
	const server = await requireOllamaApi(connection, 'make models', signal);
	const json: Record<string, unknown> = { model };
	const done: Pick<Created, 'uploaded' | 'digest'> = {};
	if ('file' in source) {
		const digest = await digestOf(source.file);
		done.uploaded = await uploadBlob(connection, digest, source.file, options);
		done.digest = digest;
		json.files = { [source.file.name]: digest };
	} else {
		json.from = source.from;
		if (!(await isThere(connection, source.from, signal))) options.onDownload?.(source.from);
	}
	Object.assign(json, {
		...optional({ system, template, parameters, quantize }),
	});
	await followWork(connection, { path: '/api/create', json, model, signal, idleMs, onProgress });
	return { model, server, state: 'success', ...done, tookMs: Math.round(performance.now() - startedAt) };
}

/** @throws {ServerError} for a file that is no GGUF, before anything is sent */
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
			`The file "${name}" is no GGUF file`,
			'Ollama makes models of GGUF files. Convert others with convert_hf_to_gguf.py of llama.cpp.',
		);
	return `sha256:${hash.digest('hex')}`;
}

/** @returns whether it had to be sent */
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
	const answer = await connection.call(url, {
		method: 'POST',
		body: { content: open(), contentType: 'application/octet-stream', length: size },
		timeoutMs: 0,
		idleMs,
		signal,
	});
	if (answer.status >= 300) throw connection.refusal(answer, { model });
	return true;
}

async function isThere(connection: Connection, name: string, signal: AbortSignal | undefined): Promise<boolean> {
	const tags = ollamaEntries(await optionalJson(connection, '/api/tags', { timeoutMs: CALL_MS, signal }));
	// Who does not tell is not blamed.
	return tags === undefined || [...tags.keys()].some((id) => isNamed(id, name));
}
