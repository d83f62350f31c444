/** The rule, form and further options that are sent with a document, by the options of the node. */
import type { INodeParameters } from 'n8n-workflow';

import {
	contentOptions,
	datasetSetupOptions,
	toCreateOptions,
} from '../../../../nodes/DifyKnowledge/document/upsert';
import { ItemSource } from '../../../../nodes/shared/fields/item-source';
import { optionsField } from '../../../../nodes/shared/fields/options-field';
import { readValues } from '../../../../nodes/shared/fields/read-values';
import { expectApproved } from '../../../support/approved/approved-table';
import { getOutcome } from '../../../support/approved/outcome';
import path from 'node:path';

const FIELDS = { options: optionsField({ ...contentOptions, ...datasetSetupOptions }) };
const MODES = [undefined, 'automatic', 'custom', 'hierarchical'];
const SPLITTING: readonly INodeParameters[] = [
	{},
	{ separator: '#' },
	{ separator: '', maxTokens: 50 },
	{ separator: '\\n\\t' },
	{ maxTokens: 4_000 },
	{ maxTokens: 4_001 },
	{ chunkOverlap: 0 },
	{ removeExtraSpaces: false },
	{ removeUrlsEmails: true },
	{ childSeparator: '##' },
	{ childMaxTokens: 300, maxTokens: 600 },
	{ childMaxTokens: 4_001 },
];
const OTHERS: readonly INodeParameters[] = [
	{ form: 'qa_model', language: 'German' },
	{ form: 'text_model', childMaxTokens: 100 },
	{ language: ' ' },
	{ technique: 'economy' },
	{ embeddingModel: { __rl: true, mode: 'id', value: 'provider/x|name' } as never },
	{ embeddingModel: { __rl: true, mode: 'id', value: '' } as never },
];

test('each mode with each option, and the others', () => {
	const all = [
		...MODES.flatMap((chunking) =>
			SPLITTING.map((options) => ({ ...(chunking !== undefined && { chunking }), ...options })),
		),
		...OTHERS,
	];
	const rows = all.map((options) => ({
		input: JSON.stringify(options),
		outcome: getOutcome(() => {
			const source = new ItemSource({ getNodeParameter: () => options }, 0);
			return toCreateOptions(readValues(source, FIELDS).options);
		}),
	}));
	expectApproved(
		path.join(__dirname, 'upsert.any-options.approved.txt'),
		rows,
		'An option of a document is sent in its place',
	);
});
