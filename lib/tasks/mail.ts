/** Opens a mail: its text for a model. Nothing is fetched, and attachments are named only. */
import { invalidInput } from '../errors/failure';
import { PostalMime } from '../vendor';

const MAX_BYTES = 25 * 1024 * 1024;
/** The library takes ten seconds for a megabyte of empty lines. */
const SHORT_LINE = 60;
const MAX_SHORT_LINES = 20_000;

/** @throws {ServerError} of kind `invalidInput` for a mail that would block n8n */
export async function openMail(
	name: string,
	bytes: Buffer,
): Promise<{ text: string; hints: string[] }> {
	if (bytes.byteLength > MAX_BYTES || shortLines(bytes) > MAX_SHORT_LINES)
		throw invalidInput(
			`The mail "${name}" is too long to be opened`,
			'Pass its text and its attachments on as fields and files of the item ("Email Trigger (IMAP)" with Download Attachments).',
		);
	const { subject = '', from, date = '', text = '', html = '', attachments } = await parsed(bytes);
	const sender = [from?.name, from?.address && `<${from.address}>`].filter(Boolean).join(' ');
	const left = attachments.map(({ filename, mimeType }) => filename ?? mimeType).join(', ');
	const body = text.trim() === '' ? textOfHtml(html) : text.trim();
	const lines = [`Subject: ${subject}`, `From: ${sender}`, `Date: ${date}`, '', body];
	if (left === '') return { text: lines.join('\n'), hints: [] };
	lines.push('', `Attachments, which are left out: ${left}`);
	const hint = `The attachments of the mail "${name}" were left out: ${left}. Pass them on as files of their own ("Email Trigger (IMAP)" with Download Attachments).`;
	return { text: lines.join('\n'), hints: [hint] };
}

async function parsed(bytes: Buffer) {
	return await PostalMime.parse(bytes, { maxNestingDepth: 50, rfc822Attachments: true });
}

function shortLines(bytes: Buffer): number {
	let count = 0;
	let from = 0;
	for (let at = bytes.indexOf(0x0a); at >= 0; at = bytes.indexOf(0x0a, from)) {
		if (at - from < SHORT_LINE) count++;
		from = at + 1;
	}
	return count;
}

function textOfHtml(html: string): string {
	const [first = '', ...others] = html.split(/<(?=\/?(?:script|style)\b)/i);
	const shown = others.filter((part) => part.startsWith('/'));
	return [first, ...shown]
		.join('<')
		.replace(/<(?:br|\/p|\/div|\/tr|\/h\d)[^<>]*>/gi, '\n')
		.replace(/<[^<>]*>/g, '')
		.replace(/&nbsp;/g, ' ')
		.replace(/[ \t]{2,}/g, ' ')
		.trim();
}
