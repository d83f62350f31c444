import { ServerError } from '../../errors/server-error';
import { readWhole } from '../../http/too-long';
import type { DifyClient } from '../client';
import type { DifyFile } from '../types';
import { isRecord, nonEmptyText, messageOf } from '../../values';

/** Dify marks file objects with this value. */
const FILE_MARK = '__dify__file__';

/** Files are not searched for deeper in the outputs. */
const MAX_DEPTH = 20;

/** The files in the outputs of a run, at any depth, then those of `files`; each file once. */
export function outputFiles(outputs: unknown, files: readonly DifyFile[] = []): DifyFile[] {
	const found: DifyFile[] = [];
	collect(outputs, found, 0);
	const known = new Set<unknown>();
	return [...found, ...files].filter(({ id, related_id: related, url }) => {
		const names = [id, related, url?.replace(/\?.*$/s, '')].filter(
			(name) => nonEmptyText(name) !== undefined,
		);
		const isNew = names.length === 0 || !names.some((name) => known.has(name));
		for (const name of names) known.add(name);
		return isNew;
	});
}

function collect(value: unknown, found: DifyFile[], depth: number): void {
	if (depth > MAX_DEPTH) return;
	if (Array.isArray(value)) for (const each of value) collect(each, found, depth + 1);
	else if (isRecord(value)) {
		if (value.dify_model_identity === FILE_MARK) found.push(value as DifyFile);
		else for (const each of Object.values(value)) collect(each, found, depth + 1);
	}
}

export interface DownloadedFile {
	content: Buffer;
	name: string;
	mimeType?: string;
}

const LIMITS = { firstTokenMs: 60_000, idleMs: 60_000 };

/**
 * Downloads a file of a run. Its URL is signed, so no key is sent. URLs without a host belong to Dify's origin
 * (docs/protocols/dify.md 2.9).
 *
 * @param client without the headers of the credential
 * @returns undefined for a file without a URL
 * @throws {ServerError}
 */
export async function downloadFile(
	{ connection, api, signal }: DifyClient,
	file: DifyFile,
): Promise<DownloadedFile | undefined> {
	const address = nonEmptyText(file.url);
	if (address === undefined || !URL.canParse(address, api)) return undefined;
	const download = await connection.download(new URL(address, api).href, {
		method: 'GET',
		signal,
		limits: LIMITS,
	});
	return {
		content: await readWhole(download.pieces),
		name: nonEmptyText(file.filename) ?? 'file',
		mimeType: nonEmptyText(file.mime_type) ?? nonEmptyText(download.headers['content-type']),
	};
}

/** Why a file could not be downloaded, in words. */
export function downloadFailureText(error: unknown): string {
	if (!(error instanceof ServerError)) return messageOf(error);
	return error.status === 403 || error.status === 404
		? 'its link has expired. Links of Dify are good for 300 seconds unless FILES_ACCESS_TIMEOUT says otherwise'
		: error.meaning;
}
