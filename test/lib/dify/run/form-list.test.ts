import { FormList } from '../../../../lib/dify/run/form-list';
import type { HumanForm } from '../../../../lib/dify/types';

const form = (formId: string | undefined, nodeId?: string): HumanForm =>
	({ formId, nodeId }) as HumanForm;
const listIds = (list: FormList): Array<string | undefined> =>
	list.toArray().map(({ formId, nodeId }) => formId ?? nodeId);

test('forms of a node are removed together, and then there is none of it', () => {
	const list = new FormList();
	for (const one of [form('a', 'n'), form('b', 'n'), form(undefined, 'n'), form('c', 'm')])
		list.add(one);
	expect([listIds(list), list.size]).toEqual([['a', 'b', 'n', 'c'], 4]);
	list.removeNode('n');
	expect([listIds(list), list.size]).toEqual([['c'], 1]);
	expect(list.has(form('a', 'n'))).toBe(false);
	expect(list.has(form(undefined, 'n'))).toBe(false);
	expect(list.has(form(undefined, 'm'))).toBe(true);
});

test('a form is in the list by its ID, and without one by its node', () => {
	const list = new FormList();
	list.add(form('a', 'n'));
	list.add(form(undefined, undefined));
	expect(list.has(form('a', 'another'))).toBe(true);
	expect(list.has(form('b', 'n'))).toBe(false);
	expect(list.has(form(undefined, 'n'))).toBe(true);
	expect(list.has(form(undefined, undefined))).toBe(true);
	list.clear();
	expect([list.size, list.has(form('a', 'n')), list.has(form(undefined, 'n'))]).toEqual([
		0,
		false,
		false,
	]);
});

test('the same form again takes the place of the first one', () => {
	const list = new FormList();
	list.add({ ...form('a', 'n'), formToken: 'old' } as HumanForm);
	list.add(form('b', 'n'));
	list.add({ ...form('a', 'n'), formToken: 'new' } as HumanForm);
	expect(list.toArray().map(({ formId, formToken }) => [formId, formToken])).toEqual([
		['a', 'new'],
		['b', undefined],
	]);
});
