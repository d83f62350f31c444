/** Files of an app. */
import { toDifyFileType } from '../../lib/dify/file-types';
import { FILE_TIMEOUTS } from '../../lib/dify/download-file';
import { uploadFile } from '../../lib/dify/upload-file';
import { apiPath } from '../../lib/dify/api-path';
import { parseMimeType, parseDispositionFileName } from '../../lib/file-name';
import type { DifyResource } from '../shared/dify/dify-operation';
import { binaryField, readFile, outputField, readId } from '../shared/dify/dify-fields';
import { userField, readUser } from '../shared/dify/dify-user';
import { stringField } from '../shared/field-builders';
import { storeFile } from '../shared/binary';
import { TASK_LIMITS } from '../../lib/task-limits';

export const files: DifyResource = {
	name: 'File',
	value: 'file',
	operations: [
		{
			name: 'Upload',
			value: 'upload',
			action: 'Upload a file',
			description: 'Store a file in Dify for a later run of the same user',
			fields: [binaryField('the file'), userField],
			execute: async (call) => {
				const { client, parameters } = call;
				const source = await readFile(call);
				const user = readUser(parameters);
				const uploadFileId = await uploadFile(client, source, user);
				const { name, mimeType, size } = source;
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
			},
		},
		{
			name: 'Download',
			value: 'download',
			action: 'Download a file',
			description: 'Download a file that a message of the app has used',
			fields: [
				stringField('File ID', 'fileId', {
					required: true,
					description: 'As returned in message_files of a message or by Upload',
				}),
				outputField('binaryPropertyOutput', { required: true }),
			],
			execute: async (call) => {
				const { client, parameters } = call;
				const fileId = readId(parameters, 'fileId');
				const url = client.buildUrl(apiPath`/files/${fileId}/preview`, { as_attachment: 'true' });
				const { facts, binary } = await client.sendAndRead(
					{ url, limits: TASK_LIMITS.difyFile.received, timeouts: FILE_TIMEOUTS },
					async (response) => {
						const { headers } = response;
						const type = parseMimeType(headers['content-type']);
						return await storeFile(call, parameters.string('binaryPropertyOutput') || 'data', {
							content: response.bytes(),
							fileName: parseDispositionFileName(headers['content-disposition']) ?? fileId,
							// Attachments have no type: it is derived from the name.
							mimeType: type === 'application/octet-stream' ? '' : type,
						});
					},
				);
				return { json: { ...facts, fileId }, binary };
			},
		},
	],
};
