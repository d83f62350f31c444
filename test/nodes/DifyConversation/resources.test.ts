import type { INodePropertyOptions } from 'n8n-workflow';

import { operations } from '../../../nodes/DifyConversation/resources';
import { executeContext } from '../../support/execute-context';

const { operationOf, properties } = operations;
const contextOf = (parameters: Record<string, unknown>) =>
	executeContext({ type: 'n8n-nodes-local-llama.difyConversation', credentials: {}, parameters })
		.context;

/** Each resource with the operations that the editor offers for it. */
const offered = properties
	.filter(({ name }) => name === 'operation')
	.flatMap(({ options, displayOptions }) =>
		(displayOptions?.show?.resource ?? []).flatMap((resource) =>
			(options as INodePropertyOptions[]).map(
				({ value }) => [String(resource), String(value)] as const,
			),
		),
	);

describe('resources and operations', () => {
	test('the editor offers operations for every resource', () => {
		const resources = (properties[0]!.options as INodePropertyOptions[]).map(({ value }) => value);
		expect([...new Set(offered.map(([resource]) => resource))].sort()).toEqual(
			[...resources].sort(),
		);
	});

	test.each(offered)('%s, %s: what is offered is what runs', (resource, operation) => {
		expect(operationOf(contextOf({ resource, operation }), 0).option.value).toBe(operation);
	});

	test.each(offered)(
		'%s, %s: every field of the operation is shown for it',
		(resource, operation) => {
			const { fields } = operationOf(contextOf({ resource, operation }), 0);
			for (const { name } of fields) {
				const shown = properties.filter(
					(property) =>
						property.name === name &&
						property.displayOptions?.show?.resource?.includes(resource) === true &&
						property.displayOptions.show.operation?.includes(operation) === true,
				);
				expect([name, shown.length]).toEqual([name, 1]);
			}
		},
	);

	test.each([
		[
			{ resource: 'chat', operation: 'getAll' },
			'"Resource" must be one of conversation, message, variable',
		],
		[{ resource: 'message', operation: 'delete' }, 'This node has no operation "delete"'],
		[{ resource: 'variable', operation: 'rename' }, 'This node has no operation "rename"'],
	])('%j, as an expression may give it, is refused', (parameters, message) => {
		expect(() => operationOf(contextOf(parameters), 0)).toThrow(message);
	});
});
