/** What a server says in its own words, and what it may quote. */

/** What servers and clients put before a message: names of exceptions, statuses, the number of issues. */
const WRAPPER =
	/(?:[\w.]{0,60}(?:error|exception)|jinja exception|(?:error |status |http )?(?:code:? )?\d{3}|bad request|invalid request|json|\d{1,4} validation errors? for [\w.]{1,80})[\s:,-]{1,4}/iy;

/** From here on, a message may quote the request, or what the model wrote. */
const QUOTATION = /[:"'`<>{}[\]|=\n“”„«»「」]/;

/**
 * Whether a server says in its own words what begins at an index of its message: before it, there are only wrappers and
 * words without a sign of a quotation. A visitor or a model may have written everything else.
 */
export function isUnquoted(message: string, index: number): boolean {
	const start = getWrapperLength(message);
	return index <= start || !QUOTATION.test(withoutQuotedNames(message.slice(start, index)));
}

/** The beginning of a message, up to the first sign of a quotation. */
export function getUnquotedStart(message: string): string {
	const start = getWrapperLength(message);
	const end = withoutQuotedNames(message.slice(start)).search(QUOTATION);
	return end < 0 ? message : message.slice(0, start + end);
}

/** Names of fields in quotation marks are no quotation. The length stays. */
function withoutQuotedNames(text: string) {
	return text.replace(/(['"`])\w{1,40}\1/g, (name) => '_'.repeat(name.length));
}

/** The length of the wrappers at the beginning of a message. */
export function getWrapperLength(message: string): number {
	let length = 0;
	WRAPPER.lastIndex = 0;
	while (WRAPPER.test(message)) length = WRAPPER.lastIndex;
	return length;
}
