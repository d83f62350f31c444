/** The inputs of a run when the form of the app cannot be read, by why not. */
import { createDifyError } from '../../../../lib/dify/create-error';
import type { ErrorType } from '../../../../lib/errors/error-types';
import type { DifyCall } from '../../../../nodes/shared/dify/dify-operation';
import { readInputs } from '../../../../nodes/shared/dify/run-inputs';
import { createRecordedClient } from '../../../lib/dify/recorded-client';
import { expectApproved } from '../../../support/approved/approved-table';
import { awaitOutcome, combine } from '../../../support/approved/outcome';
import path from 'node:path';

const ERRORS: ErrorType[] = [
	'connectionRefused',
	'dnsLookupFailed',
	'totalTimeout',
	'appUnavailable',
	'unauthorized',
	'serverError',
	'invalidResponse',
];

test('each error with each way to fill in the form', async () => {
	const rows = [];
	for (const { type, mode } of combine({ type: ERRORS, mode: ['json', 'form'] as const })) {
		const { client, sent } = createRecordedClient({
			'GET /parameters': createDifyError(type),
			'GET /info': { mode: 'chat' },
		});
		const inputs = { text: 'x' };
		const values = { inputsMode: mode, inputs, inputsJson: inputs };
		const outcome = await awaitOutcome(async () => {
			const { files: _files, ...read } = await readInputs(
				{ client } as unknown as DifyCall,
				values,
			);
			return read;
		});
		rows.push({
			input: `${type}, ${mode}`,
			outcome: [...sent, typeof outcome === 'string' ? outcome : JSON.stringify(outcome)].join(
				' ; ',
			),
		});
	}
	expectApproved(
		path.join(__dirname, 'run-inputs.any-error.approved.txt'),
		rows,
		'Without its form, an app gets what the node has',
	);
});
