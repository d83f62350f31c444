import { bindTag } from '../../../lib/dify/knowledge/tags';
import { bindingOperation } from './fields';

export const tagBind = bindingOperation(
	{ name: 'Bind', value: 'bind', action: 'Give a knowledge base a tag' },
	bindTag,
	true,
);
