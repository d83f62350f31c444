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

/** Stores the files of a run as binary fields "file_0" and so on, with warnings about missing ones. */
export async function storeResultFiles(
	call: DifyCall,
	{ workflow, files }: Pick<RunResult, 'workflow' | 'files'>,
): Promise<{ binary?: IBinaryKeyData; warnings: string[] }> {
	const origins = readFileOrigins(call.parameters);
	const client = await createKeylessClient(call);
	const binary: IBinaryKeyData = {};
	const warnings: string[] = [];
	let remainingBytes = MAX_FILES_BYTES;
	const outputFiles = collectOutputFiles(workflow?.outputs, files).filter(
		({ url }) => asNonEmptyString(url) !== undefined,
	);
	if (outputFiles.length > MAX_FILES)
		warnings.push(
			`The run has ${outputFiles.length} files (maximum ${MAX_FILES}), so ${outputFiles.length - MAX_FILES} were not fetched.`,
		);
	for (const file of outputFiles.slice(0, MAX_FILES)) {
		try {
			const { content, name, mimeType } = await downloadFile(client, file, origins, remainingBytes);
			remainingBytes -= content.byteLength;
			const { helpers } = call.context;
			binary[`file_${Object.keys(binary).length}`] = await helpers.prepareBinaryData(
				content,
				name,
				mimeType,
			);
		} catch (error) {
			// A failed file must not discard the result of the run.
			warnings.push(
				`The file "${file.filename ?? file.id ?? ''}" could not be fetched: ${describeDownloadError(error)}.`,
			);
		}
	}
	return { ...omitEmpty({ binary }), warnings };
}
