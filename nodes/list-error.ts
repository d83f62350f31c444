import type { NodeOperationError } from 'n8n-workflow';

/** Looks like a hyphen, but the editor leaves it alone. */
const NON_BREAKING_HYPHEN = '\u2011';

/**
 * An error as a drop-down list can show it. The editor shows the message only, so the remedy goes into it; and it takes a message apart at its
 * hyphens and joins the parts with blanks (ResourceLocator.vue), which would make `my-server --host` out of it `my server host`. The box shows
 * seven lines and hides the others behind scrolling: what is said twice is left out.
 */
export function listError(error: NodeOperationError): NodeOperationError {
	const said = [withoutKnownUrl(error.message), error.description].filter((text) => typeof text === 'string' && text !== '');
	error.message = said.join('. ').replaceAll('-', NON_BREAKING_HYPHEN);
	return error;
}

/** A message without the URL at its end, where it names that server already. */
function withoutKnownUrl(message: string): string {
	const [, text, host] = /^(.*) \(https?:\/\/([^\s/)]+)[^\s)]*\)$/.exec(message) ?? [];
	return text !== undefined && host !== undefined && text.includes(host) ? text : message;
}
