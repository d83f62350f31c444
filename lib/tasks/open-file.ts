/** Opens a file of an item for a model: as a picture, sound, video or text, or refuses it by what it is. */
import { invalidInput } from '../errors/failure';
import { mimeTypeIn } from '../file-name';
import {
	declaredType,
	fileTypeOf,
	type FileType,
	isCutJpeg,
	orientationOf,
	textOfBytes,
	UNKNOWN,
	UNREAD,
} from '../files';
import { inWords, type SentFile } from './sent-files';
import { PostalMime } from '../vendor';

interface ItemFile {
	name: string;
	/** As n8n calls it. */
	mimeType: string;
	bytes: Buffer;
}

interface OpenedFile {
	/** In the form of OpenAI. */
	block: object;
	/** For refusals. */
	sent: SentFile;
	hints: string[];
}

/** @throws {ServerError} of kind `invalidInput` for a file that no model server reads, before anything is sent */
export async function openFile(file: ItemFile): Promise<OpenedFile> {
	const { name, mimeType, bytes } = file;
	const type = fileTypeOf(bytes) ?? declaredType(mimeType) ?? UNKNOWN;
	const sent = { name, mimeType, size: bytes.byteLength, head: bytes.subarray(0, 4096) };
	const remedy = UNREAD[type.extension];
	if (remedy !== undefined)
		throw invalidInput(`A model server cannot read the file ${inWords(sent)}`, remedy);
	if (type.kind === 'mail') {
		const { text, hints } = await openMail(name, bytes);
		return { block: { type: 'text', text }, sent, hints };
	}
	return { block: blockOf(type, file), sent, hints: hintsOn(type, file) };
}

function blockOf(
	{ kind, mimeType, extension }: FileType,
	{ bytes, mimeType: declared }: ItemFile,
): object {
	if (kind === 'text') return { type: 'text', text: textOfBytes(bytes) };
	const data = bytes.toString('base64');
	const url = `data:${mimeType};base64,${data}`;
	if (kind === 'picture') return { type: 'image_url', image_url: { url } };
	// A container of videos may hold sound alone, which only its declared type tells.
	const isSound = kind === 'sound' || mimeTypeIn(declared).startsWith('audio/');
	if (isSound) return { type: 'input_audio', input_audio: { data, format: extension } };
	return { type: 'video_url', video_url: { url } };
}

const UPRIGHT = 1;

function hintsOn({ extension }: FileType, { name, bytes }: ItemFile): string[] {
	if (extension !== 'jpg') return [];
	const orientation = orientationOf(bytes) ?? UPRIGHT;
	const turned = `The picture "${name}" is rotated (EXIF orientation ${orientation}), which servers ignore. Turn it with the node "Edit Image" (Rotate) first.`;
	// Seen of llama-server v0.5.0, even where nothing but the header is there.
	const cut = `The end of the picture "${name}" is missing, so it may have been cut on its way. Servers read it all the same, with grey in place of the rest. Check the node that made the file.`;
	return [...(orientation === UPRIGHT ? [] : [turned]), ...(isCutJpeg(bytes) ? [cut] : [])];
}

const MAX_BYTES = 25 * 1024 * 1024;

/** The library takes ten seconds for a megabyte of empty lines. */
const SHORT_LINE = 60;

const MAX_SHORT_LINES = 20_000;

/**
 * The text of a mail for a model. Nothing is fetched, and attachments are named only.
 *
 * @throws {ServerError} of kind `invalidInput` for a mail that would block n8n
 */
async function openMail(name: string, bytes: Buffer): Promise<{ text: string; hints: string[] }> {
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
