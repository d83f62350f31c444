/** IDs of tool calls: ours for n8n, and those that servers accept. */
import { tryOrUndefined } from '../../values/try-or-undefined';
import { createHash, randomInt } from 'node:crypto';

/** Longer server IDs are not kept. */
const MAX_SERVER_ID = 200;

/** Letters and digits that Mistral's templates require in an ID (docs/protocols/llama-server.md 6.1). */
const ID_LENGTH = 9;

const OWN_ID = /^n8n([0-9a-z]{9})\d+(?:_((?:\w|-[0-9A-F]{2})+))?$/;

/** A random ID for the server. */
export function createServerToolCallId(): string {
	return randomInt(36 ** ID_LENGTH)
		.toString(36)
		.padStart(ID_LENGTH, '0');
}

/**
 * Unique IDs for the calls of one response. A server's IDs may be repeated in the next response (vllm-project/vllm issue
 * 50295, also `0` and `1`) or in other conversations (Kimi K2's `functions.NAME:0`, vllm-project/vllm issue 20789),
 * and n8n's agent removes steps with a known ID. Each ID contains the turn key and the server's ID, so that every n8n
 * worker can read both.
 *
 * Only letters, digits, `_` and `-`, and as short as possible: n8n's memory may pass the conversation to a provider
 * that accepts nothing else. vLLM's IDs of 46 characters become 64, OpenAI's maximum.
 *
 * @param serverIds the server's id of each call; undefined without one
 */
export function createToolCallIds(serverIds: ReadonlyArray<string | undefined>): string[] {
	const turnKey = createServerToolCallId();
	return serverIds.map((id = '', index) => {
		const suffix = !id || id.length > MAX_SERVER_ID ? '' : `_${escapeId(id)}`;
		return `n8n${turnKey}${index}${suffix}`;
	});
}

/** What identifies a call. */
interface IdentifiedCall {
	/** As n8n has it. */
	id: string;
	/** Of the tool. */
	name: string;
}

/**
 * The ID that is sent to the server, the same in each round. Kimi's templates need their own ID, which contains the
 * tool's name. Every other ID becomes one that Mistral's templates accept.
 */
export function toServerToolCallId({ id, name }: IdentifiedCall): string {
	const [, , escapedId] = OWN_ID.exec(id) ?? [];
	const serverId =
		escapedId === undefined
			? id
			: tryOrUndefined(() => decodeURIComponent(escapedId.replace(/-/g, '%')));
	if (name && serverId?.includes(name)) return serverId;
	if (/^[a-zA-Z0-9]{9}$/.test(id)) return id;
	return createHash('sha256').update(id).digest('hex').slice(0, ID_LENGTH);
}

/** The key that the calls of one response share, from a call's ID; undefined for IDs that are not from `createToolCallIds`. */
export function getResponseKey(id: string): string | undefined {
	return OWN_ID.exec(id)?.[1];
}

/** Writes characters other than letters, digits and `_` as `-` and two hexadecimal digits for each byte. */
function escapeId(id: string) {
	return encodeURIComponent(id.toWellFormed())
		.replace(/[-.!~*'()]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)
		.replaceAll('%', '-');
}
