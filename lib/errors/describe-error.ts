/** An error as one text, for an item and for a chat. */
import { withPeriod } from './sentences';
import { ServerError } from './server-error';
import { withoutElements } from './message-title';
import type { Reader } from './tell';
import { RIGHTS, tell } from './tell';
import { toPlainText } from '../values/safe-text';
import type { PlainText } from '../values/safe-text';
import { getErrorMessage, truncate, truncateMiddle, withoutEnds } from '../values/text';

/** Characters of the server message: more would hide the suggestion. */
const MAX_QUOTED_TEXT = 500;
/** An ID in its path may have any length. */
const MAX_URL_LENGTH = 500;
/** The same in a chat. */
const MAX_CHAT_QUOTED_TEXT = 100;
/** Length of an error in a chat, in words. */
const MAX_CHAT_LENGTH = 40;

/**
 * The full text of an error: what happened, the server message, the suggestion, whether a part of the text is in the
 * details, and where. The likeliest cause comes first.
 *
 * @param displayedUrl how the address is shown, empty for not at all; default: the URL without user, password and query
 */
export function describeError(
	error: ServerError,
	displayedUrl?: string,
	reader: Reader = 'owner',
): string {
	return joinParts(Object.values(toParts(error, { displayedUrl, reader })));
}

/**
 * An error as a chat shows it to the owner of the workflow: what happened and what to do, then as much of the rest as fits. n8n's chat shows only the
 * description of a failed node, so one text has to contain all of it.
 */
export function toOwnerChatText(error: unknown, displayedUrl?: string): string {
	if (!(error instanceof ServerError)) return getErrorMessage(error);
	const { problem, quotation, suggestion, address } = toParts(error, {
		displayedUrl,
		maxQuotedText: MAX_CHAT_QUOTED_TEXT,
	});
	const [firstStep = '', ...sentences] = suggestion.split(/(?<=[.!?]) (?=\p{Lu})/u);
	let text = joinParts([problem, firstStep]);
	const addIfShort = (longer: PlainText) => {
		const isShort = longer.split(/\s+/).length <= MAX_CHAT_LENGTH;
		if (isShort) text = longer;
		return isShort;
	};
	addIfShort(joinParts([problem, quotation, firstStep]));
	sentences.every((sentence) => addIfShort(joinParts([text, sentence])));
	addIfShort(joinParts([text, address]));
	return text;
}

/** How an error is shown. */
interface Display {
	/** Empty: not at all. Default: the URL without user, password and query. */
	displayedUrl?: string;
	/** Characters of the server message. */
	maxQuotedText?: number;
	/** Default: the owner. */
	reader?: Reader;
}

function toParts(
	error: ServerError,
	{ displayedUrl, maxQuotedText = MAX_QUOTED_TEXT, reader = 'owner' }: Display,
) {
	const { url, partialText = '' } = error;
	const { detail, suggestion } = tell(error, reader);
	const { sentence: mayQuote, address: mayLocate } = RIGHTS[reader];
	const serverText = mayQuote ? (error.serverText ?? '') : '';
	const ownUrl = url === undefined ? '' : toDisplayUrl(url);
	const address = mayLocate ? (displayedUrl ?? ownUrl) : '';
	// A title has no period and no elements, and what is like a tag has lost its effect in it.
	const plainTexts = [serverText, withoutElements(serverText)].map((text) =>
		withoutEnds(toPlainText(text), /\s/, /[\s.]/),
	);
	const told = toPlainText(`${detail} ${suggestion}`);
	const isQuoted = plainTexts.some((text) => told.includes(text));
	return {
		problem: withPeriod(detail),
		quotation: isQuoted ? '' : `Server message: "${truncate(serverText, maxQuotedText)}".`,
		suggestion,
		received:
			!mayQuote || partialText === '' ? '' : 'The details contain the text received so far.',
		address: address === '' ? '' : `URL: ${address}`,
	};
}

function joinParts(parts: readonly string[]) {
	return toPlainText(parts.filter((part) => part !== '').join(' '));
}

/** A URL as it can be shown: without user, password and query. */
function toDisplayUrl(url: string) {
	const shownUrl = url.replace(/[?#].*/s, '').replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/]*@/i, '$1');
	return truncateMiddle(shownUrl, MAX_URL_LENGTH);
}
