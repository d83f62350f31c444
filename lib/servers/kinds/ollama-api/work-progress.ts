/** Downloads, of which Ollama streams the progress (docs/protocols/ollama.md 4.6). */
import { failure } from '../../../errors/failure';
import type { ServerError } from '../../../errors/server-error';
import type { Connection } from '../../../http/connection';
import type { EventStream } from '../../../http/types';
import { parseJson } from '../../../json';
import {
	finiteNumber,
	isRecord,
	type JsonRecord,
	nonEmptyText,
	optional,
	words,
} from '../../../values';
import type { Progress } from '../work';

interface Layer {
	digest: string;
	total: number;
	/** Bytes that had been downloaded before. */
	before: number;
}

export interface Work {
	json: JsonRecord;
	model: string;
	signal?: AbortSignal;
	/** Milliseconds without progress after which it fails; 0: no limit. */
	idleMs: number;
	onProgress?(progress: Progress): Promise<void> | void;
	/** The server, where it is another one with this route, and where the names of its models are from. */
	by?: { label: string; names: string };
}

const OLLAMA = {
	label: 'Ollama',
	names: 'on ollama.com/library, for example qwen3:8b or hf.co/USER/REPOSITORY:Q4_K_M',
};

/**
 * Starts the work and reads its progress to the end. Ollama reports a failure as an `error` in a line of a 200 answer;
 * only a last line with the status `success` means that it is done. If a registry has lost a file, Ollama repeats the
 * same line forever (seen: 0.17.4), so only new lines count as progress.
 *
 * @throws {ServerError}
 */
export async function followWork(connection: Connection, work: Work): Promise<{ layers: Layer[] }> {
	const { json, model, signal, idleMs, by: { label } = OLLAMA } = work;
	const url = `${connection.url.root}/api/pull`;
	const context = connection.contextOf(url, { model });
	const stream = await connection.stream(url, {
		json: { ...json, stream: true },
		framing: 'ndjson',
		signal,
		about: { model },
		limits: { firstTokenMs: idleMs, idleMs },
		refuse: (answer) => refusalOf(work, connection.refusal(answer, { model })),
	});
	const layers = new Map<string, Layer>();
	let last = '';
	try {
		for await (const { data, line } of linesOf(stream)) {
			if ('error' in line && line.error !== null) throw workFailed(context, work, line.error);
			if (data !== last) stream.content();
			last = data;
			const progress = progressIn(line);
			if (progress === undefined) continue;
			note(layers, progress);
			await work.onProgress?.(progress);
			if (progress.status === 'success') return { layers: [...layers.values()] };
		}
	} finally {
		stream.close();
	}
	const stray = stream.strayLines().join('\n');
	throw failure('streamEndedEarly', context, {
		message: `${label} stopped before it had downloaded the model "${model}"`,
		remedy:
			'Try again: what was downloaded is kept. Look at the log of the server, and at proxies in between that end long answers.',
		serverText: stray || last,
	});
}

/** The lines of a stream that are JSON objects, with their text. */
async function* linesOf({ batches }: EventStream) {
	for await (const events of batches)
		for (const { data } of events) {
			const line = parseJson(data);
			if (isRecord(line)) yield { data, line };
		}
}

function progressIn(line: JsonRecord): Progress | undefined {
	const status = nonEmptyText(line.status);
	if (status === undefined) return undefined;
	const [digest, total] = [nonEmptyText(line.digest), finiteNumber(line.total)];
	const completed = finiteNumber(line.completed);
	return {
		status,
		...optional({ digest, total, completed }),
	};
}

/** Records a layer when it is first named. Go omits a `completed` of 0. */
function note(layers: Map<string, Layer>, { digest, total, completed = 0 }: Progress): void {
	if (digest === undefined || total === undefined || layers.has(digest)) return;
	layers.set(digest, { digest, total, before: completed >= total ? total : 0 });
}

/** The refusal of work that has not begun: what the registry answered may already be in it. */
function refusalOf(work: Work, refused: ServerError): ServerError {
	const { kind, serverText } = refused;
	if (serverText === undefined) return refused;
	if (/invalid model name/i.test(serverText))
		return refused.reworded({
			kind: 'badRequest',
			message: `"${work.model}" is not a name for a model`,
			remedy:
				'A name has letters, digits, dots and hyphens, and a tag behind a colon: qwen3:8b, hf.co/USER/REPOSITORY:Q4_K_M.',
		});
	const isOfRegistry = work.by !== undefined && /^(?:modelNotFound|serverError)$/.test(kind);
	return isOfRegistry ? refused.reworded(failureOf(work, serverText)) : refused;
}

function workFailed(context: ReturnType<Connection['contextOf']>, work: Work, error: unknown) {
	const serverText = isRecord(error) ? (nonEmptyText(error.message) ?? words(error)) : words(error);
	const { kind, ...told } = failureOf(work, serverText);
	return failure(kind, context, { serverText, ...told });
}

function failureOf({ model, by: { label, names } = OLLAMA }: Work, serverText: string) {
	if (/file does not exist|manifest unknown|not found/i.test(serverText))
		return {
			kind: 'modelNotFound',
			message: `The registry has no model "${model}"`,
			remedy: `Check the name and the tag ${names}.`,
		} as const;
	return {
		kind: 'serverError',
		message: `${label} could not download the model "${model}"`,
		remedy:
			'Its text says why. It needs a way to the registry (HTTPS_PROXY in its environment) and space on its disk.',
	} as const;
}
