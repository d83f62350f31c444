import { uuid } from '../../../lib/dify/ids';
import { previewFile } from '../../../lib/dify/files/file-preview';
import { outputField } from '../../shared/dify/fields';
import type { DifyOperation } from '../../shared/dify/run';
import { stringField } from '../../shared/field-kinds';
import { storeFile } from '../../shared/store-file';

export const fileDownload: DifyOperation = {
	option: {
		name: 'Download',
		value: 'download',
		action: 'Download a file',
		description: 'Fetch a file that a message of the app used',
	},
	fields: [
		stringField('File ID', 'fileId', {
			required: true,
			description: 'As in message_files of a message, or as Upload gave it',
		}),
		outputField('binaryPropertyOutput', { required: true }),
	],
	run: async (call) => {
		const fileId = uuid(call.parameters.value('fileId'), 'file ID');
		const { content, name, mimeType = '' } = await previewFile(call.client, fileId);
		const file = { content, fileName: name ?? fileId, mimeType };
		const { facts, binary } = await storeFile(call, 'binaryPropertyOutput', file);
		return [{ json: { ...facts, fileId }, binary }];
	},
};
