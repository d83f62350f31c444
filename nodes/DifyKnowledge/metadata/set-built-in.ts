import { setBuiltIn } from '../../../lib/dify/knowledge/metadata';
import { datasetField, datasetIdIn } from '../../shared/dify/knowledge-fields';
import type { DifyOperation } from '../../shared/dify/run';
import { booleanField } from '../../shared/field-kinds';

export const metadataSetBuiltIn: DifyOperation = {
	option: {
		name: 'Set Built-In Fields',
		value: 'setBuiltIn',
		action: 'Switch built in metadata on or off',
		description: 'Name, uploader, dates and source of documents, for filters',
	},
	fields: [
		datasetField,
		booleanField('Built-In Fields', 'enabled', true, {
			description:
				'Whether searches can use document_name, uploader, upload_date, last_update_date and source',
		}),
	],
	run: async ({ api, parameters }) => {
		const datasetId = datasetIdIn(parameters);
		const builtInEnabled = parameters.flag('enabled');
		await setBuiltIn(api, datasetId, builtInEnabled);
		return [{ json: { datasetId, builtInEnabled } }];
	},
};
