import { ServerError } from '../../errors/server-error';
import { mimeTypeIn, plainFileName } from '../../file-name';
import { BodyTooLongError, readWhole } from '../../http/too-long';
import type { DifyClient } from '../client';
import { localError } from '../errors/failure';
import { openSignedFile } from './signed-file';
import type { DifyFile } from '../types';
import { isRecord, nonEmptyText, messageOf } from '../../values';

/** Dify marks file objects with this value. */
const FILE_MARK = '__dify__file__';

/** Files are not searched for deeper in the outputs. */
const MAX_DEPTH = 20;

/** The files in the outputs of a run, at any depth, then those of `files`; each file once. */
export function outputFiles(outputs: unknown, files: readonly DifyFile[] = []): DifyFile[] {
	const ofOutputs: DifyFile[] = [];
	collect(outputs, ofOutputs, 0);
	const known = new Set<unknown>();
	return [...ofOutputs, ...files].filter(({ id, related_id: related, url }) => {
		const names = [id, related, nonEmptyText(url)?.replace(/\?.*$/s, '')].filter(
			(name) => nonEmptyText(name) !== undefined,
		);
		const isNew = names.length === 0 || !names.some((name) => known.has(name));
		for (const name of names) known.add(name);
		return isNew;
	});
}

function collect(value: unknown, files: DifyFile[], depth: number): void {
	if (depth > MAX_DEPTH) return;
	if (Array.isArray(value)) for (const each of value) collect(each, files, depth + 1);
	else if (isRecord(value)) {
		if (value.dify_model_identity === FILE_MARK) files.push(value as DifyFile);
		else for (const each of Object.values(value)) collect(each, files, depth + 1);
	}
}

interface DownloadedFile {
	content: Buffer;
	name: string;
	mimeType?: string;
}

/** What may be fetched. */
interface DownloadRules {
	/** Origins besides that of the credential: where Dify stores its files. */
	origins: readonly string[];
	/** Bytes. */
	maxBytes: number;
}

/** Bytes of all files of a run: they stand in n8n's memory. */
export const MAX_FILES_BYTES = 200 * 1024 * 1024;

/**
 * Downloads a file of a run.
 *
 * @param client without the headers of the credential
 * @returns undefined for a file without a URL
 * @throws {ServerError} also for another origin, and for a file that is too large
 */
export async function downloadFile(
	client: DifyClient,
	file: DifyFile,
	{ origins, maxBytes }: DownloadRules,
): Promise<DownloadedFile | undefined> {
	const address = nonEmptyText(file.url);
	if (address === undefined) return undefined;
	const download = await openSignedFile(client, address, origins);
	try {
		return {
			content: await readWhole(download.pieces, maxBytes),
			name: plainFileName(nonEmptyText(file.filename) ?? '', 'file'),
			mimeType:
				mimeTypeIn(nonEmptyText(file.mime_type)) ||
				mimeTypeIn(download.headers['content-type']) ||
				undefined,
		};
	} catch (error) {
		throw error instanceof BodyTooLongError ? tooLarge() : error;
	} finally {
		download.close();
	}
}

function tooLarge(): ServerError {
	const megabytes = MAX_FILES_BYTES / 1024 / 1024;
	return localError(
		'fileTooLarge',
		`the files of a run may have ${megabytes} MB together, and it goes beyond that. Fetch it with an HTTP Request node`,
	);
}

/** Why a file could not be downloaded, in words. */
export function downloadFailureText(error: unknown): string {
	if (!(error instanceof ServerError)) return messageOf(error);
	return error.status === 403 || error.status === 404
		? 'its link has expired. Links of Dify are good for 300 seconds unless FILES_ACCESS_TIMEOUT says otherwise'
		: error.meaning;
}
