import * as fc from 'fast-check';
import { getRecord, readRecord, runIdOf, waitForRecord } from '../../../../lib/dify/run/record';
import { recordedAnswer, recordedCases, RECORDED_VERSIONS } from '../../../support/dify-recordings';
import { examples } from '../../../support/properties';
import { clientOf, failureOf, startSim, UNKNOWN_ID } from '../client';

const DETAIL = { id: 'r', status: 'succeeded', inputs: '{"a": 1, "sys.user_id": "u1"}' };

describe('the record of a run', () => {
	test.each([
		['JSON text (1.12)', '{"text": "hi"}', { text: 'hi' }],
		['an object (1.14)', { text: 'hi' }, { text: 'hi' }],
		['null, after a failure', null, {}],
		['the text null', 'null', {}],
		['empty text', '', {}],
		['text that is no JSON', '{"text": ', '{"text": '],
	])('outputs: %s', (_name, outputs, expected) => {
		expect(readRecord({ ...DETAIL, outputs })!.outputs).toEqual(expected);
	});

	test('the variables of Dify itself are no inputs', () => {
		expect(readRecord(DETAIL)!.inputs).toEqual({ a: 1 });
	});

	test('whatever comes is read', () => {
		fc.assert(
			fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (more) => {
				const record = readRecord({ ...more, id: 'r', status: 'running' });
				expect(record).toMatchObject({ runId: 'r', status: 'running' });
			}),
			examples(200),
		);
	});

	describe.each(RECORDED_VERSIONS)('as recorded, %s', (version) => {
		const cases = recordedCases(version).filter(
			({ name, url }) =>
				url.startsWith('/v1/workflows/run/') && recordedAnswer(version, name).status === 200,
		);
		test.each(cases.map(({ name }) => name))('%s', (name) => {
			const body = JSON.parse(recordedAnswer(version, name).body.toString('utf8')) as Record<
				string,
				unknown
			>;
			const record = readRecord(body);
			if (body.id === null) expect(record).toBeUndefined();
			else expect(typeof record!.outputs).toBe('object');
		});
	});

	test.each(['', 'garbage', null, 7])(
		'an ID of another form is refused before anything is sent: %j',
		(id) => {
			expect(() => runIdOf(id)).toThrow(/workflow run ID/);
		},
	);

	test('an unknown run', async () => {
		const sim = await startSim({});
		expect((await failureOf(getRecord(clientOf(sim, 'workflow'), UNKNOWN_ID))).kind).toBe(
			'runNotFound',
		);
	});
});

describe('waiting for a run', () => {
	const answers = async (...bodies: object[]) => {
		const sim = await startSim({});
		for (const body of bodies)
			sim.fail({
				path: '/workflows/run/',
				status: 200,
				body: JSON.stringify(body),
				contentType: 'application/json',
			});
		return { sim, client: clientOf(sim, 'workflow') };
	};
	const NULLS = { id: null, status: null };

	test('goes on until it is over', async () => {
		const { client } = await answers(
			{ ...DETAIL, status: 'running' },
			{ ...DETAIL, status: 'running' },
			DETAIL,
		);
		expect((await waitForRecord(client, 'r', { pausesMs: [1] })).status).toBe('succeeded');
	});

	test('a pause is an end', async () => {
		const { client } = await answers({ ...DETAIL, status: 'paused' });
		expect((await waitForRecord(client, 'r', { pausesMs: [1] })).status).toBe('paused');
	});

	test('a run that is not known yet', async () => {
		const { client } = await answers(NULLS, NULLS, DETAIL);
		expect((await waitForRecord(client, 'r', { pausesMs: [1] })).status).toBe('succeeded');
	});

	test('"running" for ever ends at the limit, with the ID', async () => {
		const { client } = await answers(
			...Array.from({ length: 500 }, () => ({ ...DETAIL, status: 'running' })),
		);
		const failed = await failureOf(waitForRecord(client, 'r', { pausesMs: [1], limitMs: 30 }));
		expect(failed).toMatchObject({ kind: 'timeout', facts: { workflowRunId: 'r' } });
	});
});
