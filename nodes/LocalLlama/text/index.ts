import type { LocalLlamaResource } from '../operation';
import { chat } from './chat';
import { classify } from './classify';
import { complete } from './complete';
import { extract } from './extract';
import { fillIn } from './fill-in';

export const text: LocalLlamaResource = {
	option: { name: 'Text', value: 'text' },
	operations: [chat, classify, complete, extract, fillIn],
	preset: 'chat',
};
