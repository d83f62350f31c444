import type { DifyClient } from '../dify/client';
import {
	appFileRules,
	checkFiles,
	fileTypeOf,
	sizeLimitsOf,
	type DifyFileRef,
} from '../dify/files/files';
import { uploadFile } from '../dify/files/upload';
import type { JsonRecord } from '../values';
import type { DifyPrompt } from './dify-prompt';

type File = DifyPrompt['files'][number];

/**
 * Uploads pictures and sound of the messages as files of a run. Files that the app does not take are an error: Dify
 * would silently drop them.
 *
 * @param parameters answer of the app's route `/parameters`
 * @throws {ServerError}
 */
export async function sendFiles(
	client: DifyClient,
	user: string,
	files: readonly File[],
	parameters: JsonRecord,
): Promise<DifyFileRef[]> {
	const rules = appFileRules(parameters);
	const known = files.map((file, index) => {
		const { mimeType, ...content } = contentOf(file);
		const name = `${file.type}-${index + 1}.${mimeType.split('/')[1]}`;
		return { name, mimeType, type: fileTypeOf(name, mimeType, rules), ...content };
	});
	checkFiles(
		known.map(({ name, type, bytes }) => ({ name, type, size: bytes?.length })),
		rules,
		sizeLimitsOf(parameters),
	);
	const sent: DifyFileRef[] = [];
	for (const { type, name, mimeType, url, bytes } of known) {
		if (bytes === undefined) {
			sent.push({ type, transfer_method: 'remote_url', url: url! });
			continue;
		}
		const source = { name, mimeType, size: bytes.length, open: () => oneChunk(bytes) };
		const id = await uploadFile(client, source, user);
		sent.push({ type, transfer_method: 'local_file', upload_file_id: id });
	}
	return sent;
}

/** The bytes, or the URL from which Dify fetches the file itself. */
function contentOf(file: File): { mimeType: string; bytes?: Uint8Array; url?: string } {
	if (file.type === 'audio')
		return { mimeType: `audio/${file.format}`, bytes: Buffer.from(file.data, 'base64') };
	const parts = /^data:([^;,]+);base64,(.*)$/s.exec(file.url);
	return parts === null
		? { mimeType: 'image/png', url: file.url }
		: { mimeType: parts[1]!, bytes: Buffer.from(parts[2]!, 'base64') };
}

async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
	yield await Promise.resolve(bytes);
}
