import { localFile } from '../../../lib/dify/knowledge/pipelines';
import type { DifyOperation } from '../../shared/dify/run';
import { binaryField } from '../fields';
import { NEEDS, uploadedFile } from './fields';

export const pipelineUploadFile: DifyOperation = {
	option: {
		name: 'Upload File',
		value: 'uploadFile',
		action: 'Upload a file for a pipeline',
		description: `Gives what Run takes as an item; ${NEEDS}`,
	},
	fields: [binaryField],
	run: async (call) => {
		const file = await uploadedFile(call);
		return [{ json: { ...localFile(file), size: file.size, mimeType: file.mime_type } }];
	},
};
