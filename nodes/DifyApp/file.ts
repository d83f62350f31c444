/** Files of an app. */
import { toDifyFileType } from '../../lib/dify/file-types';
import { FILE_TIMEOUTS } from '../../lib/dify/download-file';
import { uploadFile } from '../../lib/dify/upload-file';
import { apiPath } from '../../lib/dify/api-path';
import { parseMimeType, parseDispositionFileName } from '../../lib/file-name';
import { parseId, readUser, userField } from '../shared/dify/common-fields';
import type { DifyCall, DifyResource } from '../shared/dify/dify-operation';
import { inputFileField, outputFileField, readFile } from '../shared/dify/file-fields';
import { defineOperation } from '../shared/items/define-operation';
import type { FieldValues } from '../shared/items/define-operation';
import { storeFile } from '../../lib/n8n/binary';
import type { FieldTable } from '../../lib/fields/field';
import { TASK_LIMITS } from '../../lib/task-limits';

const uploadFields = {
	binaryPropertyName: inputFileField('the file'),
	user: userField,
} as const satisfies FieldTable;

const downloadFields = {
	fileId: {
		kind: 'name',
		label: 'File ID',
		required: true,
		description: 'As returned in message_files of a message or by Upload',
		parse: parseId,
	},
	binaryPropertyOutput: { ...outputFileField, required: true },
} as const satisfies FieldTable;

export const files: DifyResource = {
	name: 'File',
	value: 'file',
	operations: [
		defineOperation({
			name: 'Upload',
			value: 'upload',
			action: 'Upload a file',
			description: 'Store a file in Dify for a later run of the same user',
			fields: uploadFields,
			execute: upload,
		}),
		defineOperation({
			name: 'Download',
			value: 'download',
			action: 'Download a file',
			description: 'Download a file that a message of the app has used',
			fields: downloadFields,
			execute: download,
		}),
	],
};

async function upload(call: DifyCall & FieldValues<typeof uploadFields>) {
	const { client, source, values } = call;
	const file = await readFile(call, values.binaryPropertyName);
	const user = readUser(source, values);
	const uploadFileId = await uploadFile(client, file, user);
	const { name, mimeType, size } = file;
	const type = toDifyFileType({ name, mimeType });
	return {
		json: {
			uploadFileId,
			type,
			fileName: name,
			mimeType,
			bytes: size,
			user,
			// In the format of an app's file variable.
			file: { type, transfer_method: 'local_file', upload_file_id: uploadFileId },
		},
	};
}

async function download(call: DifyCall & FieldValues<typeof downloadFields>) {
	const { client, values } = call;
	const { fileId, binaryPropertyOutput } = values;
	const url = client.buildUrl(apiPath`/files/${fileId}/preview`, { as_attachment: 'true' });
	const { facts, binary } = await client.sendAndRead(
		{ url, limits: TASK_LIMITS.difyFile.received, timeouts: FILE_TIMEOUTS },
		async (response) => {
			const { headers } = response;
			const type = parseMimeType(headers['content-type']);
			return await storeFile(call, binaryPropertyOutput, {
				content: response.bytes(),
				fileName: parseDispositionFileName(headers['content-disposition']) ?? fileId,
				// Attachments have no type: it is derived from the name.
				mimeType: type === 'application/octet-stream' ? '' : type,
			});
		},
	);
	return { json: { ...facts, fileId }, binary };
}
