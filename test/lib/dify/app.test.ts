/** What a user reads when a key belongs to another app than the request needs, or the app is not published. */
import {
	explainAppTypeError,
	fetchAppParameters,
	findLatestConversationId,
} from '../../../lib/dify/app';
import { createDifyError } from '../../../lib/dify/create-error';
import type { DifyAppMode } from '../../../lib/dify/types';
import { expectApproved } from '../../support/approved/approved-table';
import { awaitOutcome, combine, describeError } from '../../support/approved/outcome';
import { createRecordedClient } from './recorded-client';
import path from 'node:path';

const MODES = ['chat', 'agent-chat', 'agent', 'advanced-chat', 'completion', 'workflow'] as const;
const ERRORS = ['wrongAppType', 'appUnavailable', 'invalidInputs', 'unauthorized'] as const;

test('each error at an app of each type, for a node of each type', async () => {
	const cases = combine({
		type: ERRORS,
		expected: [undefined, 'chat', 'workflow', 'completion'] as Array<DifyAppMode | undefined>,
		mode: [...MODES, 'new', undefined],
	});
	const rows = [];
	for (const { type, expected, mode } of cases) {
		const { client, sent } = createRecordedClient({ 'GET /info': { mode } });
		const error = await explainAppTypeError(client, createDifyError(type), expected);
		const isSame = describeError(error) === describeError(createDifyError(type));
		rows.push({
			input: `${type} at ${mode}, expected ${expected}`,
			outcome: `${sent.join('; ')}: ${isSame ? 'unchanged' : describeError(error)}`,
		});
	}
	const { client, sent } = createRecordedClient({ 'GET /info': createDifyError('serverError') });
	const known = createDifyError('wrongAppType', { facts: { appMode: 'chat' } });
	const others = [
		['/info fails', createDifyError('wrongAppType'), 'chat'],
		['explained before', known, 'workflow'],
		['another error', new Error('x'), 'chat'],
	] as const;
	for (const [input, error, expected] of others) {
		const explained = await explainAppTypeError(client, error, expected);
		rows.push({ input, outcome: explained === error ? 'unchanged' : describeError(explained) });
	}
	rows.push({ input: 'requests of these', outcome: sent });
	expectApproved(
		path.join(__dirname, 'app.approved.txt'),
		rows,
		'A key of another app is named as such, with the node for it',
	);
});

test('parameters are read once, and their error is explained; the latest conversation is the first one', async () => {
	const rows = [];
	const good = createRecordedClient({ 'GET /parameters': { user_input_form: [] } });
	await fetchAppParameters(good.client);
	await fetchAppParameters(good.client);
	rows.push({ input: 'parameters twice', outcome: good.sent });
	const bad = createRecordedClient({
		'GET /parameters': createDifyError('appUnavailable'),
		'GET /info': { mode: 'workflow' },
	});
	const failed = await awaitOutcome(async () => await fetchAppParameters(bad.client));
	rows.push({ input: 'parameters of an app that is not published', outcome: failed });
	for (const data of [[], [{ id: 'c1' }, { id: 'c2' }], [{ id: '' }], 'none']) {
		const { client, sent } = createRecordedClient({
			'GET /conversations': { data, has_more: true },
		});
		const id = await awaitOutcome(async () => await findLatestConversationId(client, 'the user'));
		rows.push({ input: `conversations ${JSON.stringify(data)}`, outcome: [sent, id ?? 'none'] });
	}
	expectApproved(
		path.join(__dirname, 'app.requests.approved.txt'),
		rows,
		'Facts of an app are read once',
	);
});
