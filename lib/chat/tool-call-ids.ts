import { randomInt } from 'node:crypto';
import { quietly } from '../values';

/** Longer server ids are not kept: such calls are sent back under our own ids. */
const MAX_SERVER_ID = 200;

const TURN_LENGTH = 9;
const OWN_ID = /^n8n([0-9a-z]{9})\d+(?:_((?:\w|-[0-9A-F]{2})+))?$/;

/**
 * Unique ids for the calls of one answer. A server's ids may be repeated in the next answer (vllm-project/vllm issue
 * 50295, SGLang's `0` and `1`) or in other conversations (Kimi K2's `functions.NAME:0`, vllm-project/vllm issue 20789),
 * and n8n's agent drops every step whose id it has seen. Each id contains a key of the answer and the server's id, so
 * that every n8n worker can read both.
 *
 * Only letters, digits, `_` and `-`, and as short as possible: n8n's memory may pass the conversation to a provider
 * that takes nothing else. vLLM's ids of 46 characters become 64, OpenAI's maximum.
 *
 * @param serverIds the server's id of each call; undefined without one
 */
export function ownToolCallIds(serverIds: ReadonlyArray<string | undefined>): string[] {
	if (serverIds.length === 0) return [];
	const turn = randomInt(36 ** TURN_LENGTH)
		.toString(36)
		.padStart(TURN_LENGTH, '0');
	return serverIds.map((id, index) => {
		const kept =
			id === undefined || id === '' || id.length > MAX_SERVER_ID ? '' : `_${escaped(id)}`;
		return `n8n${turn}${index}${kept}`;
	});
}

/** The id to send to the server: the server's own if it is in the id; other ids unchanged. */
export function serverToolCallId(id: string): string {
	const kept = OWN_ID.exec(id)?.[2];
	return kept === undefined ? id : (unescaped(kept) ?? id);
}

/** The key of the answer in a call's id; undefined for ids that are not from `ownToolCallIds`. */
export function turnOfToolCall(id: string): string | undefined {
	return OWN_ID.exec(id)?.[1];
}

/** Writes bytes other than letters, digits and `_` as `-` and two hexadecimal digits. */
function escaped(id: string): string {
	return [...Buffer.from(id, 'utf8')]
		.map((byte) => {
			const character = String.fromCharCode(byte);
			return /\w/.test(character)
				? character
				: `-${byte.toString(16).toUpperCase().padStart(2, '0')}`;
		})
		.join('');
}

function unescaped(kept: string): string | undefined {
	return quietly(() => decodeURIComponent(kept.replace(/-/g, '%')));
}
