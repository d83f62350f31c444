import { MODEL_SECRETS, testNodes, withExecute } from './leak-runner';

const NAMES = withExecute.filter((name) => !name.startsWith('Dify') && name !== 'LocalLlama');

testNodes(NAMES, [...MODEL_SECRETS, 'difyKey']);
