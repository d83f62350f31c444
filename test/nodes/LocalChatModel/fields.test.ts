import type { INodeProperties } from 'n8n-workflow';

import { properties } from '../../../nodes/LocalChatModel/fields';

const typesOf = ({ displayOptions }: { displayOptions?: INodeProperties['displayOptions'] }) =>
	(displayOptions?.show?.['/serverType'] ?? displayOptions?.show?.serverType) as
		| string[]
		| undefined;

describe('the fields of the chat model', () => {
	it('a choice is offered to the servers that take it', () => {
		const choice = (field: string, value: string) =>
			properties
				.find(({ name }) => name === field)!
				.options!.find((one) => 'value' in one && one.value === value) as INodeProperties;
		expect(typesOf(choice('thinking', 'budget'))).toEqual(['auto', 'llamaServer', 'other']);
		expect(typesOf(choice('responseFormat', 'grammar'))).toEqual([
			'auto',
			'llamaServer',
			'vllm',
			'other',
		]);
	});
});
