"""An application that other processes can be told to run: counts by key."""

from streams import App

app = App("example-app")
app.stream("events", key=str, value=str).group_by_key().count(store="counts").to_stream().to("counts")
