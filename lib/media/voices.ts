import type { Connection } from '../http/connection';
import { kindOf, labelsOf, subjectOf } from '../servers/kinds';
import { kindFor } from '../servers/purpose';
import { isRecord, nonEmptyText, recordOf, type JsonRecord } from '../values';

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
	const { label, media } = kindOf(kind);
	if (media.voicesNeedModel === true && model === '')
		throw connection.failure('invalidInput', {
			message: `${label} lists voices of one model only`,
			remedy: 'Choose the model.',
		});
	const query = model === '' ? '' : `?model=${encodeURIComponent(model)}`;
	const url = `${connection.url.api}/audio/voices${query}`;
	const answer = await connection.call(url, { timeoutMs: LIMIT_MS, signal });
	const voices = answer.status < 300 ? readVoices(answer.json) : undefined;
	if (voices !== undefined) return voices;
	// A web interface may answer every unknown path with its page (Open WebUI).
	const refused = connection.refusal(answer, { model });
	if (![200, 404, 405, 501].includes(answer.status)) throw refused;
	const serversWithList = labelsOf((one) => one.media.hasVoices);
	throw connection.failure('notSupported', {
		url,
		model,
		status: answer.status,
		serverText: refused.serverText,
		message: `${subjectOf(kind)} has no list of voices`,
		remedy: `These have one: ${serversWithList}. For other servers type the name of the voice: the documentation of the model names them.`,
	});
}

/** Names or objects, in `voices`, in `data`, or as the bare list. */
export function readVoices(json: unknown): Voice[] | undefined {
	const list = isRecord(json) ? (json.voices ?? json.data) : json;
	if (isRecord(list))
		return Object.entries(list).map(([id, more]) => ({ id, name: id, more: recordOf(more) }));
	if (!Array.isArray(list)) return undefined;
	const voices = new Map<string, Voice>();
	for (const entry of list) {
		const voice = readVoice(entry);
		if (voice !== undefined) voices.set(voice.id, voice);
	}
	return [...voices.values()];
}

function readVoice(entry: unknown): Voice | undefined {
	if (typeof entry === 'string')
		return entry === '' ? undefined : { id: entry, name: entry, more: {} };
	const { id: ownId, voice_id: voiceId, name: label, voice, ...more } = recordOf(entry);
	const name = nonEmptyText(label);
	const id = nonEmptyText(ownId) ?? nonEmptyText(voiceId) ?? nonEmptyText(voice) ?? name;
	return id === undefined ? undefined : { id, name: name ?? id, more };
}
