/** Stretches of a request that an error message repeats. */

/** Shortest stretch of the request that is removed from a message that repeats it. */
const MIN_ECHO_LENGTH = 24;
/** Every stretch of that length contains a whole sample of the message of this length. */
const SAMPLE_LENGTH = MIN_ECHO_LENGTH / 2;
/** Characters of the request that are searched. */
const MAX_SEARCHED_TEXT = 200_000;

/**
 * A message without the stretches of the request that it repeats, as FastAPI and LiteLLM do: the words of a visitor are
 * not those of the server.
 */
export function removeEchoes(message: string, requestTexts: readonly string[]): string {
	let rest = message;
	let searched = 0;
	for (const text of requestTexts) {
		if (searched >= MAX_SEARCHED_TEXT) break;
		const part = text.slice(0, MAX_SEARCHED_TEXT - searched);
		searched += part.length;
		if (part.length >= MIN_ECHO_LENGTH) rest = removeEchoesOf({ message: rest, text: part });
	}
	return rest;
}

function removeEchoesOf({ message, text }: Pick<CommonSample, 'message' | 'text'>) {
	const parts: string[] = [];
	let endOfPrevious = 0;
	let at = 0;
	while (at + SAMPLE_LENGTH <= message.length) {
		const found = text.indexOf(message.slice(at, at + SAMPLE_LENGTH));
		const [from, to] = found < 0 ? [at, at] : extendSample({ message, at, text, found });
		if (to - from >= MIN_ECHO_LENGTH) {
			parts.push(message.slice(endOfPrevious, Math.max(from, endOfPrevious)));
			endOfPrevious = to;
			at = to;
		} else at += SAMPLE_LENGTH;
	}
	return parts.join('') + message.slice(endOfPrevious);
}

/** Characters that a message and a text of the request have in common. */
interface CommonSample {
	message: string;
	/** Where it is in the message. */
	at: number;
	text: string;
	/** Where it is in the text. */
	found: number;
}

/** The stretch around a common sample that both texts have: where it begins and ends in the message. */
function extendSample({ message, at, text, found }: CommonSample): [from: number, to: number] {
	let before = 0;
	while (at > before && found > before && message[at - before - 1] === text[found - before - 1])
		before += 1;
	let length = SAMPLE_LENGTH;
	while (at + length < message.length && message[at + length] === text[found + length]) length += 1;
	return [at - before, at + length];
}
