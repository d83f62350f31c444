import type { IBinaryKeyData } from 'n8n-workflow';

import {
	describeDownloadError,
	downloadFile,
	MAX_FILES,
	MAX_FILES_BYTES,
	collectOutputFiles,
} from '../../../lib/dify/files/output-files';
import type { RunResult } from '../../../lib/dify/types';
import { omitEmpty, asNonEmptyString } from '../../../lib/values';
import { readFileOrigins } from './fields';
import { createKeylessClient, type DifyCall } from './dify-operation';

/** The files of a run as binary properties "file_0" and so on, and why others are missing. */
export async function storeResultFiles(
	call: DifyCall,
	{ workflow, files }: Pick<RunResult, 'workflow' | 'files'>,
): Promise<{ binary?: IBinaryKeyData; warnings: string[] }> {
	const origins = readFileOrigins(call.parameters);
	const client = await createKeylessClient(call);
	const binary: IBinaryKeyData = {};
	const warnings: string[] = [];
	let left = MAX_FILES_BYTES;
	const found = collectOutputFiles(workflow?.outputs, files).filter(
		({ url }) => asNonEmptyString(url) !== undefined,
	);
	if (found.length > MAX_FILES)
		warnings.push(
			`The run has ${found.length} files (maximum ${MAX_FILES}), so ${found.length - MAX_FILES} were not fetched.`,
		);
	for (const file of found.slice(0, MAX_FILES)) {
		try {
			const { content, name, mimeType } = await downloadFile(client, file, origins, left);
			left -= content.byteLength;
			const { helpers } = call.context;
			binary[`file_${Object.keys(binary).length}`] = await helpers.prepareBinaryData(
				content,
				name,
				mimeType,
			);
		} catch (error) {
			// The run has its result, which must not be lost because of a file.
			warnings.push(
				`The file "${file.filename ?? file.id ?? ''}" could not be fetched: ${describeDownloadError(error)}.`,
			);
		}
	}
	return { ...omitEmpty({ binary }), warnings };
}
