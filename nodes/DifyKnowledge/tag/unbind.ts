import { unbindTag } from '../../../lib/dify/knowledge/tags';
import { bindingOperation } from './fields';

export const tagUnbind = bindingOperation(
	{ name: 'Unbind', value: 'unbind', action: 'Take a tag from a knowledge base' },
	unbindTag,
	false,
);
