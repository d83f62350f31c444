import { failure } from '../errors/failure';
import type { Connection } from '../http/connection';
import { kindOf } from '../servers/kinds';
import { kindFor } from '../servers/purpose';
import { asList, isRecord, nonEmptyText, type JsonRecord } from '../values';

export interface Voice {
	id: string;
	name: string;
	/** The server's other fields, under its own names: language, gender, model. */
	more: JsonRecord;
}

const LIMIT_MS = 60_000;

/**
 * The voices of a server: `/v1/audio/voices` of speaches, Kokoro-FastAPI and llama-swap, which wants a model there.
 *
 * @throws {ServerError} where it has no list
 */
export async function listVoices(
	connection: Connection,
	model: string,
	signal?: AbortSignal,
): Promise<Voice[]> {
	const kind = await kindFor(connection, model, signal);
	const { label, modelRoot } = kindOf(kind);
	if (modelRoot !== undefined && model === '')
		throw failure('invalidInput', connection.contextOf(connection.url.api), {
			message: `${label} lists voices of one model only`,
			remedy: 'Choose the model.',
		});
	const query = model === '' ? '' : `?model=${encodeURIComponent(model)}`;
	const url = `${connection.url.api}/audio/voices${query}`;
	const answer = await connection.call(url, { timeoutMs: LIMIT_MS, signal });
	const voices = answer.status < 300 ? readVoices(answer.json) : undefined;
	if (voices !== undefined) return voices;
	if (answer.status !== 404 && answer.status !== 405 && answer.status !== 501)
		throw connection.refusal(answer, { model });
	throw failure('notSupported', connection.contextOf(url, { model }), {
		status: answer.status,
		serverText: answer.text,
		message:
			kind === 'other' ? 'The server has no list of voices' : `${label} has no list of voices`,
		remedy:
			'speaches, Kokoro-FastAPI and llama-swap have one. For other servers type the name of the voice: the documentation of the model names them.',
	});
}

/** Names or objects, in `voices`, in `data`, or as the bare list. */
export function readVoices(json: unknown): Voice[] | undefined {
	const list = isRecord(json) ? (json.voices ?? json.data) : json;
	if (isRecord(list))
		return Object.keys(list).map((id) => ({
			id,
			name: id,
			more: isRecord(list[id]) ? list[id] : {},
		}));
	if (!Array.isArray(list)) return undefined;
	const voices = asList(list).flatMap((entry): Voice[] => {
		if (typeof entry === 'string')
			return entry === '' ? [] : [{ id: entry, name: entry, more: {} }];
		if (!isRecord(entry)) return [];
		const { id, voice_id: voiceId, name, voice, ...more } = entry;
		const found = [id, voiceId, voice, name].map(nonEmptyText).find((one) => one !== undefined);
		return found === undefined ? [] : [{ id: found, name: nonEmptyText(name) ?? found, more }];
	});
	return [...new Map(voices.map((voice) => [voice.id, voice])).values()];
}
