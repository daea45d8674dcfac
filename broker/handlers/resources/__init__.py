"""What has configs: each kind of resource, as DescribeConfigs and the two AlterConfigs see it."""
