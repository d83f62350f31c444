/**
 * The text of a mail for a model (RFC 5322, RFC 2046). All that the library works on is bounded before it starts, since it
 * works on n8n's main thread: it gets each part of its own, without unused header fields and without attachments.
 */
import { createInputError } from '../errors/create-error';
import { type Email, PostalMime } from '../vendor';

const MAX_BYTES = 25 * 1024 * 1024;
const MAX_HEADER_BYTES = 100 * 1024;
/** The library takes a third of a second for 100 KB of names in `From`. */
const MAX_FIELD_BYTES = 10 * 1024;
const MAX_TEXT_BYTES = 2 * 1024 * 1024;
/** Lines of a text, and tags of HTML. */
const MAX_LINES = 60_000;
/** Angle brackets of HTML, also without an end. */
const MAX_OPENED = 300_000;
const MAX_PARTS = 200;
const MAX_DEPTH = 20;
/** Lines that begin with two hyphens. */
const MAX_DASHED_LINES = 20_000;

/** Header fields that the library gets. */
const USED_FIELDS = /^(?:from|subject|date|content-[\w-]+)\s*:/i;
const CONTENT = /^content-/i;
const ENCODING = /^content-transfer-encoding\s*:/i;
const HTML = /^content-type\s*:.*\btext\/html/is;
const MULTIPART = /^content-type\s*:\s*multipart\/([\w-]+)/i;
const MESSAGE = /^content-type\s*:\s*message\/rfc822\b/i;
const INLINE = /^content-disposition\s*:\s*inline\b/i;
const BOUNDARY = /;\s*boundary\s*=\s*(?:"([^"]+)"|([^\s";]+))/i;

interface Part {
	/** The used header fields. */
	fields: string[];
	body: Buffer;
	/** The same for the forms of one text, of which one is read. */
	forms?: object;
}

/**
 * Nothing is fetched, and attachments are named only.
 *
 * @throws {ServerError} of kind `invalidInput` for a mail that would block n8n
 */
export async function openMail(
	name: string,
	bytes: Buffer,
): Promise<{ text: string; hints: string[] }> {
	const reader = new MailReader(name, bytes);
	const parts = reader.parts();
	const parsed = await Promise.all(
		parts.map(async (part) => ({ ...part, email: await parse(part.fields, '') })),
	);
	const textParts = parsed.filter(({ email }) => email.attachments.length === 0);
	const bodies = [...textParts.map(({ body }) => body), ...reader.between];
	if (bodies.reduce((sum, { byteLength }) => sum + byteLength, 0) > MAX_TEXT_BYTES)
		throw tooLong(name, 'text: maximum 2 MB');
	requireFew(name, Buffer.concat(reader.between), '\n', 'lines');
	const lines = [...headLines(parsed[0]!.email), ...(await textsOf(name, textParts))];
	const attachments = parsed.flatMap(({ email }) => email.attachments);
	const left = attachments.map(({ filename, mimeType }) => filename ?? mimeType).join(', ');
	if (left === '') return { text: lines.join('\n'), hints: [] };
	lines.push('', `Attachments (not included): ${left}`);
	const hint = `The attachments of the email "${name}" were not included: ${left}. Pass them as separate files ("Email Trigger (IMAP)" with Download Attachments).`;
	return { text: lines.join('\n'), hints: [hint] };
}

function headLines({ subject = '', from, date = '' }: Email): string[] {
	const sender = [from?.name, from?.address && `<${from.address}>`].filter(Boolean).join(' ');
	return [`Subject: ${subject}`, `From: ${sender}`, `Date: ${date}`, ''];
}

async function parse(fields: readonly string[], body: string): Promise<Email> {
	const part = Buffer.from(`${fields.join('\r\n')}\r\n\r\n${body}`, 'latin1');
	return await PostalMime.parse(part, { maxNestingDepth: MAX_DEPTH, maxRfc822NestingDepth: 0 });
}

/** The texts, those of a forwarded mail with its head. @throws {ServerError} for too many lines or tags */
async function textsOf(
	name: string,
	parts: ReadonlyArray<Part & { email: Email }>,
): Promise<string[]> {
	const read = await Promise.all(
		parts.map(async ({ fields, body, forms, email }, index) => {
			const { text = '', html = '' } = await parseText(name, fields, body);
			const head = index > 0 && email.from !== undefined ? ['', ...headLines(email)] : [];
			return { head, plain: text.replace(/\r\n/g, '\n').trim(), html, forms };
		}),
	);
	const withPlain = new Set(read.map(({ plain, forms }) => (plain === '' ? undefined : forms)));
	return read.flatMap(({ head, plain, html, forms }) => {
		const isOtherForm = forms !== undefined && withPlain.has(forms);
		const text = plain === '' && !isOtherForm ? textOfHtml(html) : plain;
		return text === '' ? head : [...head, text];
	});
}

/** Decodes a part in base64 without line breaks: the library takes a second for 50,000 lines. */
async function parseText(name: string, fields: readonly string[], body: Buffer): Promise<Email> {
	const encoding = fields.find((field) => ENCODING.test(field)) ?? '';
	const content = decoded(name, encoding, body);
	requireFew(name, content, '\n', 'lines');
	if (fields.some((field) => HTML.test(field))) {
		requireFew(name, content, '>', 'tags');
		requireFew(name, content, '<', 'tags', MAX_OPENED);
	}
	const others = fields.filter((field) => CONTENT.test(field) && !ENCODING.test(field));
	return await parse([...others, 'Content-Transfer-Encoding: base64'], content.toString('base64'));
}

function decoded(name: string, encoding: string, body: Buffer): Buffer {
	if (/quoted-printable/i.test(encoding)) return ofQuotedPrintable(body);
	if (!/base64/i.test(encoding)) return body;
	requireFew(name, body, '=', 'lines');
	// Some programs pad each line, and Node's decoder ends at the first padding.
	const units = body.toString('latin1').match(/[^=]+/g) ?? [];
	return Buffer.concat(units.map((unit) => Buffer.from(unit, 'base64')));
}

function ofQuotedPrintable(body: Buffer): Buffer {
	const text = body.toString('latin1').replace(/=[ \t]*\r?\n/g, '');
	const bytes = Buffer.alloc(text.length);
	let length = 0;
	for (let at = 0; at < text.length; at++) {
		const pair = text[at] === '=' ? text.slice(at + 1, at + 3) : '';
		const isEscape = /^[\da-f]{2}$/i.test(pair);
		bytes[length++] = isEscape ? parseInt(pair, 16) : text.charCodeAt(at);
		if (isEscape) at += 2;
	}
	return bytes.subarray(0, length);
}

/** @throws {ServerError} for too many marks */
function requireFew(
	name: string,
	content: Buffer,
	mark: string,
	label: string,
	maximum = MAX_LINES,
): void {
	let count = 0;
	for (let at = content.indexOf(mark); at >= 0; at = content.indexOf(mark, at + 1))
		if (++count > maximum) throw tooLong(name, `text: maximum ${maximum} ${label}`);
}

function tooLong(name: string, bound: string) {
	return createInputError(
		`The email "${name}" is too long to open (${bound})`,
		'Pass its text and attachments as fields and files of the item ("Email Trigger (IMAP)" with Download Attachments).',
	);
}

/** A line that may separate parts. */
interface DashedLine {
	text: string;
	at: number;
	end: number;
}

interface Multipart {
	delimiter: string;
	forms?: object;
}

/** Splits a mail into its parts without decoding them. */
class MailReader {
	private readonly open: Multipart[] = [];
	private readonly lines: readonly DashedLine[];
	private headerBytes = 0;
	/** What follows multiparts. */
	readonly between: Buffer[] = [];

	constructor(
		private readonly name: string,
		private readonly mail: Buffer,
	) {
		if (mail.byteLength > MAX_BYTES) throw tooLong(name, 'maximum 25 MB');
		this.lines = this.dashedLines();
	}

	/** The mail itself comes first. */
	parts(): Part[] {
		const parts: Part[] = [];
		for (let at: number | undefined = 0; at !== undefined; ) {
			if (parts.length >= MAX_PARTS) throw tooLong(this.name, `maximum ${MAX_PARTS} parts`);
			const { fields, end } = this.headerAt(at);
			const isForwarded =
				fields.some((field) => MESSAGE.test(field)) && fields.some((field) => INLINE.test(field));
			if (isForwarded) {
				at = end;
				continue;
			}
			this.enter(fields);
			const delimiter = this.delimiterFrom(end);
			const { forms } = this.open.at(-1) ?? {};
			parts.push({
				fields,
				body: this.mail.subarray(end, delimiter?.at),
				forms,
			});
			at = this.leave(delimiter)?.end;
		}
		return parts;
	}

	private dashedLines(): DashedLine[] {
		const lines: DashedLine[] = [];
		for (const { index, 0: line } of this.mail.toString('latin1').matchAll(/\n--[^\n]*/g)) {
			if (lines.length >= MAX_DASHED_LINES)
				throw tooLong(this.name, `maximum ${MAX_DASHED_LINES} lines that begin with --`);
			lines.push({ text: line.slice(1).trimEnd(), at: index + 1, end: index + line.length + 1 });
		}
		return lines;
	}

	private headerAt(at: number): { fields: string[]; end: number } {
		const limit = Math.min(this.delimiterFrom(at)?.at ?? Infinity, at + MAX_HEADER_BYTES + 1);
		const start = this.mail.toString('latin1', at, limit);
		const blank = /(?:^|\n)\r*\n/.exec(start);
		const header = blank === null ? start : start.slice(0, blank.index);
		this.headerBytes += header.length;
		if (this.headerBytes > MAX_HEADER_BYTES) throw tooLong(this.name, 'header: maximum 100 KB');
		const fields = header.split(/\r?\n(?![ \t])/).filter((field) => USED_FIELDS.test(field));
		if (fields.some(({ length }) => length > MAX_FIELD_BYTES))
			throw tooLong(this.name, 'header field: maximum 10 KB');
		return { fields, end: at + (blank === null ? start.length : blank.index + blank[0].length) };
	}

	/** Opens a multipart whose parts follow. */
	private enter(fields: readonly string[]): void {
		const type = fields.find((field) => MULTIPART.test(field))?.replace(/\r?\n/g, '');
		const [, quoted, token] = BOUNDARY.exec(type ?? '') ?? [];
		const boundary = quoted ?? token;
		if (type === undefined || boundary === undefined) return;
		if (this.open.length >= MAX_DEPTH) throw tooLong(this.name, `nesting: maximum ${MAX_DEPTH}`);
		const isAlternative = MULTIPART.exec(type)?.[1]?.toLowerCase() === 'alternative';
		const forms = isAlternative ? {} : this.open.at(-1)?.forms;
		this.open.push({ delimiter: `--${boundary.trimEnd()}`, forms });
	}

	private delimiterFrom(at: number): DashedLine | undefined {
		const known = new Set(this.open.flatMap(({ delimiter }) => [delimiter, `${delimiter}--`]));
		return this.lines.find((line) => line.at >= at && known.has(line.text));
	}

	/** Closes what ends at a delimiter. @returns the delimiter before the next part */
	private leave(delimiter: DashedLine | undefined): DashedLine | undefined {
		if (delimiter === undefined) return undefined;
		const { text, end } = delimiter;
		const index = this.open.findLastIndex(({ delimiter: own }) => [own, `${own}--`].includes(text));
		const isEnd = this.open[index]!.delimiter !== text;
		this.open.length = isEnd ? index : index + 1;
		if (!isEnd) return delimiter;
		const next = this.delimiterFrom(end);
		this.between.push(this.mail.subarray(end, next?.at));
		return this.leave(next);
	}
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
