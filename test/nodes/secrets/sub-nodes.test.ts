import { testOtherNodes } from './leak-runner';

testOtherNodes(['key', 'headerValue', 'cookie', 'difyKey']);
