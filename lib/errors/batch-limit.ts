/**
 * What a server says about the number of texts in one request.
 *
 * Sources: text-embeddings-inference (router/src/http/server.rs), OpenAI's API, DashScope, Cohere, Mistral and Zhipu.
 */

/** What a message says about the size of a batch. */
export interface BatchLimit {
	/** Texts that the server accepts in one request; undefined if the message has no number. */
	max: number | undefined;
}

const TEXTS = String.raw`(?:inputs?|texts?|documents?|passages|sentences|strings|items)`;

/** The number after the words of a limit. */
const LIMIT = String.raw`(?:>=?|exceeds?|exceeded|larger than|greater than|more than|at most|up to|max(?:imum)?|limit(?:ed)?)[^\d.]{0,60}?(\d{1,6})\b`;

const PATTERNS: readonly RegExp[] = [
	// Text in front of the limit may have the size that was sent.
	new RegExp(String.raw`\bbatch[ _]size\b(?: ?(?:of|is|=|:)? ?\d{1,6})?[^.\d]{0,60}?${LIMIT}`, 'i'),
	new RegExp(
		String.raw`\bmax(?:imum)? (?:allowed |supported |client )?batch[ _]size\b[^\d.]{0,20}(\d{1,6})\b`,
		'i',
	),
	new RegExp(String.raw`\b(?:too many|number of) ${TEXTS}\b.{0,60}?${LIMIT}`, 'i'),
	/数组(?:长度)?(?:最大|最多)?[^\d]{0,8}(?:超过|大于|为)(\d{1,6})/,
];

const WITHOUT_NUMBER = new RegExp(
	String.raw`\btoo many ${TEXTS} (?:in|for|per) (?:the |this |one |a )?(?:request|batch)\b|\bsplit (?:it |them )?into (?:more|smaller) batches\b|\bbatch(?: size)? (?:is )?too (?:large|big)\b`,
	'i',
);

/** Undefined if the message is about something else. */
export function findBatchLimit(message: string): BatchLimit | undefined {
	for (const pattern of PATTERNS) {
		const max = Number(pattern.exec(message)?.[1]);
		if (max > 0) return { max };
	}
	return WITHOUT_NUMBER.test(message) ? { max: undefined } : undefined;
}
