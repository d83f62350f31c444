import { fileTypeOf } from '../../../lib/dify/files/files';
import { uploadFile } from '../../../lib/dify/files/upload';
import type { DifyOperation } from '../../shared/dify/run';
import { binaryField, fileIn, userField } from '../../shared/dify/fields';
import { userIn } from '../../shared/dify/ids';

export const fileUpload: DifyOperation = {
	option: {
		name: 'Upload',
		value: 'upload',
		action: 'Upload a file',
		description: 'Store a file in Dify, for the inputs of a later run of the same user',
	},
	fields: [binaryField('the file'), userField],
	run: async (call) => {
		const { client, parameters } = call;
		const source = await fileIn(call);
		const user = userIn(parameters);
		const uploadFileId = await uploadFile(client, source, user);
		const { name, mimeType, size } = source;
		const type = fileTypeOf(name, mimeType);
		const json = {
			uploadFileId,
			type,
			fileName: name,
			mimeType,
			bytes: size,
			user,
			// In the form of an app's file variable.
			file: { type, transfer_method: 'local_file', upload_file_id: uploadFileId },
		};
		return [{ json }];
	},
};
