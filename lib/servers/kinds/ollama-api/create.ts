/** Making models from others or from GGUF files (docs/protocols/ollama.md 4.6). */
import { createHash } from 'node:crypto';

import { invalidInput } from '../../../errors/failure';
import type { Connection } from '../../../http/connection';
import type { FileSource } from '../../../http/multipart';
import { optional } from '../../../values';
import { ollamaEntries } from '../../models';
import { CALL_MS } from '../../offered-models';
import { optionalJson } from '../../optional-json';
import type { Created, CreateOptions } from '../work';
import { isSameOllamaName } from './names';
import { followWork } from './work-progress';

const GGUF = 'GGUF';

/**
 * Creates a model from another one or from a GGUF file. The file is read once for its digest, and once more to upload
 * it if Ollama does not have it.
 *
 * @throws {ServerError}
 */
export async function createOnOllama(
	connection: Connection,
	options: CreateOptions,
): Promise<Created> {
	const { source, model, signal, idleMs, onProgress } = options;
	const { system, template, parameters, quantize } = options;
	const settings = optional({ system, template, parameters, quantize });
	const { fields, uploaded, digest } =
		'file' in source
			? await filesOf(connection, source.file, options)
			: { fields: await baseOf(connection, source.from, options) };
	const json = { model, ...settings, ...fields };
	await followWork(connection, { path: '/api/create', json, model, signal, idleMs, onProgress });
	return { state: 'success', ...optional({ digest, uploaded }) };
}

async function filesOf(connection: Connection, file: FileSource, options: CreateOptions) {
	const digest = await digestOf(file);
	const uploaded = await uploadBlob(connection, digest, file, options);
	return { fields: { files: { [file.name]: digest } }, digest, uploaded };
}

async function baseOf(connection: Connection, from: string, options: CreateOptions) {
	if (!(await isThere(connection, from, options.signal))) options.onDownload?.(from);
	return { from };
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
	const stored = await connection.call(url, { method: 'HEAD', timeoutMs: CALL_MS, signal });
	if (stored.status === 200) return false;
	if (stored.status !== 404) throw connection.refusal(stored, { model });
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
	return tags === undefined || [...tags.keys()].some((id) => isSameOllamaName(id, name));
}
