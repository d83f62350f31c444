import { randomInt } from 'node:crypto';
import { quietly } from '../../values';

/** A longer id of a server is not worth carrying: its calls then go back under our own. */
const MAX_SERVER_ID = 200;

const TURN_LENGTH = 9;
const OWN_ID = /^n8n([0-9a-z]{9})\d+(?:_((?:\w|-[0-9A-F]{2})+))?$/;

/**
 * Ids for the calls of one answer. They are ours, since a server's may come again in the next answer (vllm-project/vllm
 * issue 50295, SGLang's `0` and `1`) or in everybody's conversations (Kimi K2's `functions.NAME:0`, vllm-project/vllm
 * issue 20789), and n8n's agent drops every step whose id it has seen. Each id holds the answer that the call belongs
 * to and the server's own id, so that any worker of n8n can read both.
 *
 * Only letters, digits, `_` and `-`, and as short as can be: n8n's memory may hand the conversation to a model of a
 * provider that takes nothing else. vLLM's ids of 46 characters become 64, which is the most that OpenAI takes.
 *
 * @param serverIds the server's id of each call, undefined where there is none to send back
 */
export function ownToolCallIds(serverIds: ReadonlyArray<string | undefined>): string[] {
	if (serverIds.length === 0) return [];
	const turn = randomInt(36 ** TURN_LENGTH)
		.toString(36)
		.padStart(TURN_LENGTH, '0');
	return serverIds.map((id, index) => {
		const kept = id === undefined || id === '' || id.length > MAX_SERVER_ID ? '' : `_${escaped(id)}`;
		return `n8n${turn}${index}${kept}`;
	});
}

/**
 * The id under which the server knows a call: its own where it gave one, and any id that is not of `ownToolCallIds` as
 * it is.
 */
export function serverToolCallId(id: string): string {
	const kept = OWN_ID.exec(id)?.[2];
	return kept === undefined ? id : (unescaped(kept) ?? id);
}

/** What the ids of all calls of one answer have in common; undefined for ids that are not of `ownToolCallIds`. */
export function turnOfToolCall(id: string): string | undefined {
	return OWN_ID.exec(id)?.[1];
}

/** Other bytes than letters, digits and `_` as `-` and two hexadecimal digits. */
function escaped(id: string): string {
	return [...Buffer.from(id, 'utf8')]
		.map((byte) => {
			const character = String.fromCharCode(byte);
			return /\w/.test(character) ? character : `-${byte.toString(16).toUpperCase().padStart(2, '0')}`;
		})
		.join('');
}

function unescaped(kept: string): string | undefined {
	return quietly(() => decodeURIComponent(kept.replace(/-/g, '%')));
}
