import { DifyChatMessage } from '../../../../nodes/DifyChatMessage/DifyChatMessage.node';
import type { FormField } from '../../../simulators/dify';
import { countRequests, startApp } from '../../../lib/dify/client';
import { createEditorContext } from '../../dify';

describe('lists in the editor', () => {
	test("the app's form as typed fields", async () => {
		const form: FormField[] = [
			{ kind: 'text-input', variable: 'city', label: 'City', required: true, default: 'Rome' },
			{ kind: 'select', variable: 'unit', options: ['C', 'F'] },
			{ kind: 'checkbox', variable: 'terse' },
			{ kind: 'json_object', variable: 'extra' },
			{ kind: 'file-list', variable: 'papers', label: 'Papers' },
			{ kind: 'external_data_tool', variable: 'tool' },
		];
		const sim = await startApp({ mode: 'chat', form });
		const { getForm } = new DifyChatMessage().methods.resourceMapping;
		const { fields } = await getForm.call(createEditorContext(sim, {}));
		expect(
			fields.map(({ id, type, required, displayName }) => [id, type, required, displayName]),
		).toEqual([
			['city', 'string', true, 'City'],
			['unit', 'options', false, 'unit'],
			['terse', 'boolean', false, 'terse'],
			['extra', 'object', false, 'extra'],
			['papers', 'string', false, 'Papers (binary fields or URLs, separated by commas)'],
		]);
		expect(fields[0]).toMatchObject({ defaultValue: 'Rome', display: true });
		expect(fields[1]!.options).toEqual([
			{ name: 'C', value: 'C' },
			{ name: 'F', value: 'F' },
		]);
	});

	test('text that n8n would evaluate as an expression is not an option, default, label or name', async () => {
		const form: FormField[] = [
			{ kind: 'text-input', variable: 'city', label: '<b>City', default: '={{ $env.HOME }}' },
			{ kind: 'select', variable: 'unit', label: '={{ 1 }}', options: ['={{ 1 }}', 'F'] },
			{ kind: 'text-input', variable: '={{ 1 }}' },
		];
		const sim = await startApp({ mode: 'chat', form });
		const { getForm } = new DifyChatMessage().methods.resourceMapping;
		const { fields } = await getForm.call(createEditorContext(sim, {}));
		expect(fields[0]).not.toHaveProperty('defaultValue');
		expect(fields[0]!.displayName).toBe('<\u200bb>City');
		expect(fields[1]!.options).toEqual([{ name: 'F', value: 'F' }]);
		expect(fields[1]!.displayName).toBe('\u200b={{ 1 }}');
		expect(fields).toHaveLength(2);
	});

	test('a form that cannot be loaded shows the reason, and keeps the existing fields', async () => {
		const { getForm } = new DifyChatMessage().methods.resourceMapping;
		const unpublished = await startApp({ mode: 'advanced-chat', published: false });
		const form = await getForm.call(createEditorContext(unpublished, {}, 'advanced-chat'));
		expect(form.fields).toEqual([]);
		expect(form.emptyFieldsNotice).toContain('App unavailable');
		expect(form.emptyFieldsNotice).toContain('publish it');
		expect(countRequests(unpublished, '/parameters', 'GET')).toBe(1);

		const schema = [
			{
				id: 'city',
				displayName: 'City',
				required: true,
				display: true,
				defaultMatch: false,
				removed: false,
			},
		];
		expect(
			(
				await getForm.call(
					createEditorContext(unpublished, { 'inputs.schema': schema }, 'advanced-chat'),
				)
			).fields,
		).toEqual(schema);
		for (const odd of [null, {}, 'x'])
			expect(
				(
					await getForm.call(
						createEditorContext(unpublished, { 'inputs.schema': odd }, 'advanced-chat'),
					)
				).fields,
			).toEqual([]);

		const formless = await startApp({ mode: 'chat' });
		expect(await getForm.call(createEditorContext(formless, {}))).toEqual({
			fields: [],
			emptyFieldsNotice: 'This app has no form to fill in.',
		});
	});

	test('a node without a credential sends no request, and explains how to load its fields', async () => {
		const { getForm } = new DifyChatMessage().methods.resourceMapping;
		const context = createEditorContext({ url: 'http://127.0.0.1:1' }, {});
		const getNode = () => ({ ...context.getNode(), credentials: undefined });
		expect(await getForm.call({ ...context, getNode })).toEqual({
			fields: [],
			emptyFieldsNotice: expect.stringContaining('Select a credential') as string,
		});
	});

	test('server messages are escaped as text', async () => {
		const { getForm } = new DifyChatMessage().methods.resourceMapping;
		const context = createEditorContext({ url: 'http://<img src=x>&/v1' }, {});
		expect((await getForm.call(context)).emptyFieldsNotice).not.toContain('<img');
	});
});
