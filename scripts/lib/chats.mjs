/** Runs many streamed chats at once, and records what their users see. */

/**
 * @typedef {object} Chat
 * @property {string} webhookId of the workflow's Chat Trigger
 * @property {string} text what is asked
 */

/**
 * @typedef {Chat & {
 * 	answer: string,
 * 	pieces: number,
 * 	firstMs?: number,
 * 	ms: number,
 * 	errors: string[],
 * 	ended: boolean,
 * 	problem?: string,
 * }} ChatOutcome
 *   `firstMs`: time to the first text; `errors`: lines of the type error; `ended`: whether n8n closed the stream;
 *   `problem`: why it did not
 */

/**
 * @param {import('./types').N8nClient} n8n
 * @param {Chat} chat
 * @param {{ sessionId?: string, signal?: AbortSignal, onPiece?: () => void }} [options]
 * @returns {Promise<ChatOutcome>}
 */
export const holdChat = async (n8n, chat, { onPiece, ...options } = {}) => {
	const startedAt = performance.now();
	/** @type {ChatOutcome} */
	const outcome = { ...chat, answer: '', pieces: 0, ms: 0, errors: [], ended: false };
	try {
		for await (const { type, content = '', atMs } of n8n.chat(chat.webhookId, chat.text, options)) {
			if (type === 'error') outcome.errors.push(content);
			if (type !== 'item' || content === '') continue;
			outcome.firstMs ??= atMs;
			outcome.pieces += 1;
			outcome.answer += content;
			onPiece?.();
		}
		outcome.ended = true;
	} catch (error) {
		const cause =
			error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : '';
		outcome.problem = `${error instanceof Error ? error.message : String(error)}${cause}`;
	}
	outcome.ms = performance.now() - startedAt;
	return outcome;
};

/**
 * @param {import('./types').N8nClient} n8n
 * @param {Chat[]} chats
 * @param {{ atOnce: number, limitMs: number, onPiece?: (index: number) => void }} options `limitMs`: for each chat
 * @returns {Promise<ChatOutcome[]>} in the order of the chats
 */
export const holdChats = async (n8n, chats, { atOnce, limitMs, onPiece }) => {
	/** @type {ChatOutcome[]} */
	const outcomes = [];
	let next = 0;
	const lane = async () => {
		for (let index = next++; index < chats.length; index = next++) {
			const chat = /** @type {Chat} */ (chats[index]);
			outcomes[index] = await holdChat(n8n, chat, {
				// Two chats of the same session could share a conversation.
				sessionId: `${chat.webhookId}-${index}-${chat.text.length}`,
				signal: AbortSignal.timeout(limitMs),
				onPiece: () => onPiece?.(index),
			});
		}
	};
	await Promise.all(Array.from({ length: atOnce }, lane));
	return outcomes;
};

/**
 * @param {number[]} values
 * @param {number} share 0.5 is the median
 */
export const percentile = (values, share) => {
	const sorted = [...values].sort((one, other) => one - other);
	return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? NaN;
};
