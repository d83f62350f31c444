/** What is sent for a form that a run waits for, by its fields and the values of the node; and what is read of it. */
import { startGoodServer } from '../../faults/good-server';
import type { Reaction } from '../../faults/good-server';
import { createCredential, passUntilEnded, withoutIds } from '../../faults/harness';
import { listOperations } from '../../faults/operations';
import { useClock } from '../../guarantees/support/fake-clock';
import { expectApproved } from '../../support/approved/approved-table';
import path from 'node:path';
import { describeNodeError } from '../../support/approved/outcome';

const clock = useClock();
const json = (body: object, status = 200): Reaction => ({
	status,
	headers: { 'content-type': 'application/json' },
	body: JSON.stringify(body),
});
const field = (output_variable_name: string, type: string, more: object = {}) => ({
	output_variable_name,
	type,
	...more,
});

const FORM = {
	form_content: 'Why? {{#$output.note#}} {{#$output.none#}}',
	inputs: [
		field('note', 'paragraph'),
		field('kept', 'paragraph', { default: { type: 'constant', value: 'usual' } }),
		field('resolved', 'paragraph', { default: { type: 'variable', value: 'x' } }),
		field('choice', 'select', { option_source: { type: 'constant', value: ['a', 'b'] } }),
		field('paper', 'file'),
		field('papers', 'file-list'),
	],
	user_actions: [
		{ id: 'yes', title: 'Approve' },
		{ id: 'no', title: 'no' },
	],
	resolved_default_values: { resolved: 'from the run' },
	expiration_time: 9,
};

interface Case {
	operation?: string;
	parameters?: object;
	form?: Reaction;
	submitted?: Reaction;
	fields?: object;
}

const CASES: Readonly<Record<string, Case>> = {
	'nothing filled in': {},
	'all texts': { parameters: { values: '{"note":7,"kept":"own","resolved":true,"choice":"b"}' } },
	'empty texts': { parameters: { values: '{"note":"","kept":"","resolved":null,"choice":" "}' } },
	'values that the form does not have': { parameters: { values: '{"other":1,"deep":{"a":1}}' } },
	'a file': { parameters: { values: '{"paper":"data","papers":"data, http://f/x.png"}' } },
	'no JSON': { parameters: { values: '[1]' } },
	'the button by its title': { parameters: { action: 'approve' } },
	'the button of another case': { parameters: { action: ' YES ' } },
	'no such button': { parameters: { action: 'maybe' } },
	'no token': { parameters: { formToken: '' } },
	'no token of a paused run': {
		parameters: { formToken: '' },
		fields: { forms: [{ formToken: null }] },
	},
	'another user': { parameters: { user: 'me' } },
	'without the run': { parameters: { workflowRunId: '' } },
	'a wrong run ID': { parameters: { workflowRunId: 'x' } },
	rejected: {
		submitted: json({ code: 'invalid_form_data', message: 'Missing', status: 400 }, 400),
	},
	submitted: {
		submitted: json({ code: 'human_input_form_submitted', message: 'Done', status: 412 }, 412),
	},
	expired: { form: json({ code: 'human_input_form_expired', message: 'Late', status: 412 }, 412) },
	unknown: {
		form: json({ code: 'human_input_form_not_found', message: 'Gone', status: 404 }, 404),
	},
	'get it': { operation: 'get' },
	'get it as it is': { operation: 'get', parameters: { simplify: false } },
	'get one without fields': { operation: 'get', form: json({}) },
};

test('each form', async () => {
	const operations = await listOperations();
	const cases = new Map<string, Case>();
	const server = await startGoodServer(({ name, line }) => {
		const { form = json(FORM), submitted = json({}) } = cases.get(name)!;
		if (line.includes('/files/upload')) return json({ id: 'file-id' });
		if (!line.includes('/form/')) return undefined;
		return line.startsWith('GET') ? form : submitted;
	});
	const works = new Map<string, Promise<string>>();
	for (const [input, one] of Object.entries(CASES)) {
		const operation = operations.find(
			({ name }) => name === `Dify Workflow form ${one.operation ?? 'submit'}`,
		)!;
		const url = server.at(input);
		cases.set(url.slice(url.lastIndexOf('/') + 1), one);
		const binary = { data: { fileName: 'a.txt', mimeType: 'text/plain', data: 'aGVsbG8=' } };
		const work = operation
			.run({
				credentials: [createCredential(operation, { url, key: 'key' })],
				items: [{ json: { ...one.fields }, binary }] as never,
				parameters: {
					formToken: 'token',
					action: 'yes',
					values: '{}',
					user: 'u',
					...one.parameters,
				} as never,
			})
			.then(
				({ items = [], hints = [] }) =>
					[JSON.stringify(items), ...hints.map(({ message }) => `hint ${message}`)].join(' ; '),
				describeNodeError,
			);
		works.set(input, work);
	}
	expect(await passUntilEnded(works, { clock, servers: [server] })).toEqual([]);
	const rows = [];
	for (const [input, work] of works) {
		const sent = server
			.to(input)
			.map(({ line, text }) =>
				`${line.replace(/\?.*/, '')} ${text.startsWith('{') ? text : ''}`.trim(),
			);
		rows.push({
			input,
			outcome: withoutIds([...sent, await work].join(' ; ')).replace(
				/http:\/\/127\.0\.0\.1:\d+\/[\w-]+/g,
				'SERVER',
			),
		});
	}
	await server.close();
	expectApproved(
		path.join(__dirname, 'form.any-values.approved.txt'),
		rows,
		'A form gets the values of the node, and its run is followed',
	);
});
