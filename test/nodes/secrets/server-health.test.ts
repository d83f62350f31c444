import { MODEL_SECRETS, testNodes, withExecute } from './rig';

const NAMES = withExecute.filter((name) => !name.startsWith('Dify') && name !== 'LocalLlama');

testNodes(NAMES, [...MODEL_SECRETS, 'difyKey']);
