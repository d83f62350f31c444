import { properties } from '../../../nodes/LocalChatModel/fields';
import { shownWhere } from '../../../nodes/LocalChatModel/server-types';

describe('for which types of server a field is shown', () => {
	it('for servers that use it, and for types that are detected later', () => {
		expect(shownWhere(({ chat }) => chat.thinking.switch === 'effort')).toEqual({
			show: { '/serverType': ['auto', 'ollama'] },
		});
		expect(shownWhere((_traits, type) => type === 'vllm', '')).toEqual({
			show: { serverType: ['auto', 'vllm'] },
		});
		expect(shownWhere(() => false)).toEqual({ show: { '/serverType': ['auto'] } });
	});

	it('names the types that the node offers, and no other', () => {
		const { options = [] } = properties.find(({ name }) => name === 'serverType')!;
		const offered = options.map((option) => ('value' in option ? option.value : ''));
		expect([...offered].sort()).toEqual(
			[...(shownWhere(() => true).show!['/serverType'] as string[])].sort(),
		);
	});
});
