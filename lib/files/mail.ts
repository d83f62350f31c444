/**
 * Reads the text of an email for a model (RFC 5322, RFC 2046). The input of the library is limited, since it runs on
 * n8n's main thread: it gets each part separately, without unused header fields and attachments.
 */
import { createInputError } from '../errors/create-error';
import { MAX_TEXT_BYTES } from '../task-limits';
import { decodeEntities } from '../values/html-entities';
import type { Email } from '../vendor';
import { PostalMime } from '../vendor';

const MAX_BYTES = 25 * 1024 * 1024;
const MAX_HEADER_BYTES = 100 * 1024;
/** The library takes a third of a second for 100 KB of names in `From`. */
const MAX_FIELD_BYTES = 10 * 1024;
/** Lines of a text, and tags of HTML. */
const MAX_LINES = 60_000;
/** Opening angle brackets of HTML. */
const MAX_OPENED = 300_000;
const MAX_PARTS = 200;
const MAX_DEPTH = 20;
/** Lines that begin with two hyphens. */
const MAX_DASHED_LINES = 20_000;

/** Header fields that are passed to the library. */
const USED_FIELDS = /^(?:from|subject|date|content-[\w-]+)\s*:/i;
const CONTENT = /^content-/i;
const ENCODING = /^content-transfer-encoding\s*:/i;
const HTML = /^content-type\s*:.*\btext\/html/is;
const MULTIPART = /^content-type\s*:\s*multipart\//i;
const ALTERNATIVE = /^content-type\s*:\s*multipart\/alternative(?![\w-])/i;
const MESSAGE = /^content-type\s*:\s*message\/rfc822\b/i;
const INLINE = /^content-disposition\s*:\s*inline\b/i;
const BOUNDARY = /;\s*boundary\s*=\s*(?:"([^"]+)"|([^\s";]+))/i;

/** What every HTML has to write for a character. */
const KNOWN_ENTITY = /&(?:amp|lt|gt|quot|apos|#\d{1,7}|#x[\da-f]{1,6});/gi;

interface Part {
	/** The used header fields. */
	fields: string[];
	body: Buffer;
	/** The same object for alternatives of one text, of which one is read. */
	forms: object | undefined;
}

/** An email that would block n8n. The message is the limit. */
class TooLongError extends Error {}

/** An email as text. */
export interface MailText {
	/** Head, text, and names of the attachments. */
	text: string;
	/** About attachments, which are not included. */
	warnings: string[];
}

/**
 * Reads an email. Nothing is fetched, and attachments are only listed.
 *
 * @param name - Of the file, for errors.
 * @throws a `ServerError` of type `invalidInput` for an email that would block n8n.
 */
export async function readMail(name: string, bytes: Buffer): Promise<MailText> {
	const { lines, attachments } = await readLines(bytes).catch((error: unknown) => {
		if (!(error instanceof TooLongError)) throw error;
		throw createInputError(
			`The email "${name}" is too long to open (${error.message})`,
			'Pass its text and attachments as fields and files of the item ("Email Trigger (IMAP)" with Download Attachments).',
		);
	});
	if (attachments === '') return { text: lines.join('\n'), warnings: [] };
	lines.push('', `Attachments (not included): ${attachments}`);
	const warning = `The attachments of the email "${name}" were not included: ${attachments}. Pass them as separate files ("Email Trigger (IMAP)" with Download Attachments).`;
	return { text: lines.join('\n'), warnings: [warning] };
}

async function readLines(bytes: Buffer) {
	const { parts, between } = splitMail(bytes);
	const parsed = await Promise.all(
		parts.map(async (part) => ({ ...part, email: await parse(part.fields, '') })),
	);
	const textParts = parsed.filter(({ email }) => email.attachments.length === 0);
	const bodies = [...textParts.map(({ body }) => body), ...between];
	if (bodies.reduce((sum, { byteLength }) => sum + byteLength, 0) > MAX_TEXT_BYTES)
		throw new TooLongError('text: maximum 2 MB');
	assertMaxCount(Buffer.concat(between), { marker: '\n', label: 'lines' });
	const attachments = parsed.flatMap(({ email }) => email.attachments);
	return {
		lines: [...formatHead(parsed[0]!.email), ...(await readTexts(textParts))],
		/** Their names. */
		attachments: attachments.map(({ filename, mimeType }) => filename ?? mimeType).join(', '),
	};
}

function formatHead({ subject = '', from, date = '' }: Email) {
	const sender = [from?.name, from?.address && `<${from.address}>`].filter(Boolean).join(' ');
	return [`Subject: ${subject}`, `From: ${sender}`, `Date: ${date}`, ''];
}

async function parse(fields: readonly string[], body: string) {
	const part = Buffer.from(`${fields.join('\r\n')}\r\n\r\n${body}`, 'latin1');
	return await PostalMime.parse(part, { maxNestingDepth: MAX_DEPTH, maxRfc822NestingDepth: 0 });
}

/**
 * Reads the texts; forwarded emails include their head.
 *
 * @throws a `TooLongError` for too many lines or tags.
 */
async function readTexts(parts: ReadonlyArray<Part & { email: Email }>) {
	const texts = await Promise.all(
		parts.map(async ({ fields, body, forms, email }, index) => {
			const { text = '', html = '' } = await parseText(fields, body);
			const head = index > 0 && email.from !== undefined ? ['', ...formatHead(email)] : [];
			return { head, plain: text.replace(/\r\n/g, '\n').trim(), html, forms };
		}),
	);
	const withPlain = new Set(texts.map(({ plain, forms }) => (plain === '' ? undefined : forms)));
	return texts.flatMap(({ head, plain, html, forms }) => {
		const isOtherForm = forms !== undefined && withPlain.has(forms);
		const text = plain === '' && !isOtherForm ? stripHtml(html) : plain;
		return text === '' ? head : [...head, text];
	});
}

/** Decodes a part in base64 without line breaks: the library takes a second for 50,000 lines. */
async function parseText(fields: readonly string[], body: Buffer) {
	const encoding = fields.find((field) => ENCODING.test(field)) ?? '';
	const content = decodeBody(encoding, body);
	assertMaxCount(content, { marker: '\n', label: 'lines' });
	if (fields.some((field) => HTML.test(field))) {
		assertMaxCount(content, { marker: '>', label: 'tags' });
		assertMaxCount(content, { marker: '<', label: 'tags', maximum: MAX_OPENED });
	}
	const contentFields = fields.filter((field) => CONTENT.test(field) && !ENCODING.test(field));
	return await parse(
		[...contentFields, 'Content-Transfer-Encoding: base64'],
		content.toString('base64'),
	);
}

function decodeBody(encoding: string, body: Buffer) {
	if (/quoted-printable/i.test(encoding)) return decodeQuotedPrintable(body);
	if (!/base64/i.test(encoding)) return body;
	assertMaxCount(body, { marker: '=', label: 'lines' });
	// Some programs pad each line, and Node's decoder ends at the first padding.
	const units = body.toString('latin1').match(/[^=]+/g) ?? [];
	return Buffer.concat(units.map((unit) => Buffer.from(unit, 'base64')));
}

function decodeQuotedPrintable(body: Buffer) {
	const text = body.toString('latin1').replace(/=[ \t]*\r?\n/g, '');
	const decode = (_escape: string, hex: string) => String.fromCharCode(parseInt(hex, 16));
	return Buffer.from(text.replace(/=([\da-f]{2})/gi, decode), 'latin1');
}

/** What is counted in a text. */
interface CountLimit {
	/** Its character. */
	marker: string;
	/** Its plural, for the error. */
	label: string;
	/** Default: `MAX_LINES`. */
	maximum?: number;
}

/** @throws a `TooLongError` if the content contains too many markers. */
function assertMaxCount(content: Buffer, { marker, label, maximum = MAX_LINES }: CountLimit) {
	let count = 0;
	for (let at = content.indexOf(marker); at >= 0; at = content.indexOf(marker, at + 1)) {
		count++;
		if (count > maximum) throw new TooLongError(`text: maximum ${maximum} ${label}`);
	}
}

/** A line that may separate parts. */
interface DashedLine {
	text: string;
	/** Index of its first byte. */
	at: number;
	/** Index after its last byte. */
	end: number;
}

interface SplitMail {
	/** The first one is the email itself. */
	parts: Part[];
	/** The content after multiparts. */
	between: Buffer[];
}

/** Bytes of an email, from one index up to another. */
interface ByteRange {
	start: number;
	end: number;
}

/** Where a part is nested. */
interface PartPlace {
	/** Number of multiparts around it. */
	depth: number;
	/** Of the multipart around it, if its parts are forms of one text. */
	forms?: object;
}

/**
 * Splits an email into its parts without decoding them.
 */
function splitMail(mail: Buffer): SplitMail {
	if (mail.byteLength > MAX_BYTES) throw new TooLongError('maximum 25 MB');
	const dashedLines = findDashedLines(mail);
	const parts: Part[] = [];
	const between: Buffer[] = [];
	let headerBytes = 0;

	const readHeader = ({ start, end }: ByteRange) => {
		const text = mail.toString('latin1', start, Math.min(end, start + MAX_HEADER_BYTES + 1));
		const blank = /(?:^|\n)\r*\n/.exec(text);
		const header = blank === null ? text : text.slice(0, blank.index);
		headerBytes += header.length;
		if (headerBytes > MAX_HEADER_BYTES) throw new TooLongError('header: maximum 100 KB');
		const fields = header.split(/\r?\n(?![ \t])/).filter((field) => USED_FIELDS.test(field));
		if (fields.some(({ length }) => length > MAX_FIELD_BYTES))
			throw new TooLongError('header field: maximum 10 KB');
		const length = blank === null ? text.length : blank.index + blank[0].length;
		return { fields, bodyAt: start + length };
	};

	const readPart = ({ start, end }: ByteRange, { depth, forms }: PartPlace) => {
		if (parts.length >= MAX_PARTS) throw new TooLongError(`maximum ${MAX_PARTS} parts`);
		const { fields, bodyAt } = readHeader({ start, end });
		const body = { start: bodyAt, end };
		if (isForwarded(fields)) return readPart(body, { depth, forms });
		const type = fields.find((field) => MULTIPART.test(field))?.replace(/\r?\n/g, '') ?? '';
		const delimiter = parseDelimiter(type);
		const lines = findSeparators(dashedLines, delimiter, body);
		const innerForms = delimiter !== undefined && ALTERNATIVE.test(type) ? {} : forms;
		if (delimiter !== undefined && depth >= MAX_DEPTH)
			throw new TooLongError(`nesting: maximum ${MAX_DEPTH}`);
		parts.push({ fields, body: mail.subarray(bodyAt, lines[0]?.at ?? end), forms: innerForms });
		for (const [index, line] of lines.entries()) {
			if (line.text !== delimiter) {
				// The closing line: what follows belongs to no part.
				between.push(mail.subarray(line.end, end));
				return;
			}
			const innerEnd = lines[index + 1]?.at ?? end;
			readPart({ start: line.end, end: innerEnd }, { depth: depth + 1, forms: innerForms });
		}
	};

	readPart({ start: 0, end: mail.byteLength }, { depth: 0 });
	return { parts, between };
}

/** Whether a part is an email that is read as part of the one around it. */
function isForwarded(fields: readonly string[]) {
	return [MESSAGE, INLINE].every((pattern) => fields.some((field) => pattern.test(field)));
}

/** The lines of a multipart that separate its parts; the last one may close it. None without a delimiter. */
function findSeparators(
	dashedLines: readonly DashedLine[],
	delimiter: string | undefined,
	{ start, end }: ByteRange,
) {
	if (delimiter === undefined) return [];
	const texts = [delimiter, `${delimiter}--`];
	return dashedLines.filter(({ text, at }) => at >= start && at < end && texts.includes(text));
}

function findDashedLines(mail: Buffer) {
	const lines: DashedLine[] = [];
	for (const { index, 0: line } of mail.toString('latin1').matchAll(/\n--[^\n]*/g)) {
		if (lines.length >= MAX_DASHED_LINES)
			throw new TooLongError(`maximum ${MAX_DASHED_LINES} lines that begin with --`);
		lines.push({ text: line.slice(1).trimEnd(), at: index + 1, end: index + line.length + 1 });
	}
	return lines;
}

/** The line between the parts of a multipart. */
function parseDelimiter(contentType: string) {
	const [, quoted, token] = BOUNDARY.exec(contentType) ?? [];
	const boundary = quoted ?? token;
	return boundary === undefined ? undefined : `--${boundary.trimEnd()}`;
}

function stripHtml(html: string) {
	const [first = '', ...otherParts] = html.split(/<(?=\/?(?:script|style)\b)/i);
	const visibleParts = otherParts.filter((part) => part.startsWith('/'));
	return [first, ...visibleParts]
		.join('<')
		.replace(/<(?:br|\/p|\/div|\/tr|\/h\d)[^<>]*>/gi, '\n')
		.replace(/<[^<>]*>/g, '')
		.replace(/&nbsp;|&#160;/gi, ' ')
		.replace(KNOWN_ENTITY, (entity) => decodeEntities(entity))
		.replace(/[ \t]{2,}/g, ' ')
		.trim();
}
