import type { NodeOperationError } from 'n8n-workflow';

/** Looks like a hyphen, but the editor leaves it alone. */
const NON_BREAKING_HYPHEN = '\u2011';

/**
 * An error as a drop-down list can show it. The editor shows the message only, so the remedy goes into it; and it takes a message apart at its
 * hyphens and joins the parts with blanks (ResourceLocator.vue), which would make `my-server --host` out of it `my server host`. The box shows
 * seven lines and hides the others behind scrolling: what is said twice is left out.
 */
export function listError(error: NodeOperationError): NodeOperationError {
	const said = [withShortUrl(error.message), error.description].filter(
		(text) => typeof text === 'string' && text !== '',
	);
	error.message = said.join('. ').replaceAll('-', NON_BREAKING_HYPHEN);
	return error;
}

/** A message whose URL at the end has no query, and is left out where the message names that server already. */
function withShortUrl(message: string): string {
	const [, text, url, host] = /^(.*) \((https?:\/\/([^\s/?)]+)[^\s?)]*)[^\s)]*\)$/.exec(message) ?? [];
	if (text === undefined || url === undefined || host === undefined) return message;
	return text.includes(host) ? text : `${text} (${url})`;
}
